package journey

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"rsc.io/qr"

	"regain/recovery"
)

// qr draws the QR code of a cross-device request as SVG. It is drawn only when a browser asks for it.
func (p *Pages) qr(c *gin.Context, t recovery.Transaction) error {
	text, err := p.deps.Wallets.RequestURL(c, t, t.ChannelTo(recovery.WalletName(c.Query("wallet")), recovery.FlowCrossDevice))
	if err != nil {
		return err
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return fmt.Errorf("draw QR code: %w", err)
	}
	c.Data(http.StatusOK, "image/svg+xml", drawSVG(code))
	return nil
}

// drawSVG draws runs of dark modules as one path, with the four-module quiet zone that scanners need.
func drawSVG(code *qr.Code) []byte {
	const quiet = 4
	side := code.Size + 2*quiet
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, side, side, side, side)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for x+run < code.Size && code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}
