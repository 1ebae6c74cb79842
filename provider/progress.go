package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"rsc.io/qr"

	"regain/recovery"
)

// How often the live page looks at the stored transaction, and how long one connection lasts; the browser reconnects
// by itself. Looking at the store, and not at an event in this process, works for any number of nodes.
const (
	progressEvery = 500 * time.Millisecond
	progressFor   = 2 * time.Minute
)

// progress is one server-sent event. Reload tells the page that another page is due.
type progress struct {
	Text   string `json:"text"`
	Reload bool   `json:"reload"`
	// Codes are the texts of the QR codes, by the kind of wallet: they change while nobody scans them.
	Codes map[recovery.WalletName]string `json:"codes,omitempty"`
}

// maxStreams is how many live pages one transaction has on one node: a person's tabs, and no flood of connections that
// each look at the store.
const maxStreams = 8

// streams counts the live pages of each transaction.
type streams struct {
	mu   sync.Mutex
	open map[recovery.TransactionID]int
}

// enter takes a place, and returns false when there is none.
func (s *streams) enter(id recovery.TransactionID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] >= maxStreams {
		return false
	}
	s.open[id]++
	return true
}

func (s *streams) leave(id recovery.TransactionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id]--; s.open[id] == 0 {
		delete(s.open, id)
	}
}

// events streams the transaction's progress (HTML Living Standard §9.2). Without scripts the page has a
// link to look again: one that refreshes itself would throw a screen reader back to its start (WCAG 2.2 §2.2.1).
func (p *Provider) events(c *gin.Context, t recovery.Transaction) {
	if !p.streams.enter(t.ID) {
		c.String(http.StatusTooManyRequests, "This recovery is open in too many tabs.\n")
		return
	}
	defer p.streams.leave(t.ID)
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies must not hold events back
	control := http.NewResponseController(c.Writer)
	// The connection lives for minutes; a server without deadlines answers with an error that says nothing to us.
	_ = errors.Join(control.SetWriteDeadline(time.Time{}), control.SetReadDeadline(time.Time{}))
	secret := browserSecret(c, t.ID)
	var err error
	shown := ""
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	end := time.NewTimer(progressFor)
	defer end.Stop()
	// The page says what it shows: between its rendering and this connection, or between two connections, the transaction
	// may have moved on, and a page that nobody tells waits for ever.
	seen := c.DefaultQuery("seen", snapshot(t))
	for {
		event := progressOf(t, seen != snapshot(t))
		if event.Codes, err = p.codes(c, t); err != nil {
			return
		}
		if line := event.encode(); line != shown {
			if _, err := c.Writer.WriteString(line); err != nil {
				return
			}
			c.Writer.Flush()
			shown = line
		}
		if event.Reload {
			return
		}
		select {
		case <-c.Request.Context().Done():
			return
		case <-end.C:
			return
		case <-ticker.C:
		}
		if t, err = p.deps.Recovery.Open(c, t.ID, secret); err != nil {
			return
		}
		if t, err = p.deps.Recovery.Rotate(c, t); err != nil {
			return
		}
	}
}

// snapshot names what a page shows: another name, another page is due. It can stand in an address as it is. QR codes are not
// among it, which events change in place.
func snapshot(t recovery.Transaction) string {
	answered, walletError := false, ""
	var ways []string
	if t.Round != nil {
		answered, walletError = t.Round.Answer != nil, t.Round.WalletError
		for _, d := range t.Round.Doors {
			way := fmt.Sprint(d.Closed)
			if d.Flow != recovery.FlowCrossDevice { // another tab that started over made these links stale
				way += d.Secret
			}
			ways = append(ways, way)
		}
	}
	const short = 12
	return string(recovery.DigestOf(fmt.Sprint(pageFor(t.State), answered, walletError, ways)))[:short]
}

func progressOf(t recovery.Transaction, changed bool) progress {
	switch {
	case changed:
		return progress{Text: "Checking what your wallet showed …", Reload: true}
	case opened(t):
		return progress{Text: "Opened in your wallet. Follow the steps there."}
	case t.State == recovery.StatePresented:
		return progress{Text: "Your wallet has answered. Come back through the page it opened."}
	}
	return progress{Text: "Waiting for your wallet …"}
}

// opened reports whether a wallet has fetched its request. What goes through the browser is fetched by our own script, before
// any wallet is asked.
func opened(t recovery.Transaction) bool {
	return t.State == recovery.StateRetrieved && t.Round != nil && slices.ContainsFunc(t.Round.Doors, func(d recovery.Door) bool {
		return d.Flow != recovery.FlowBrowser && d.Request != nil
	})
}

func (e progress) encode() string {
	data, err := json.Marshal(e)
	if err != nil {
		return ""
	}
	return "event: progress\ndata: " + string(data) + "\n\n"
}

// codes are the texts of the QR codes that the page shows now.
func (p *Provider) codes(c *gin.Context, t recovery.Transaction) (map[recovery.WalletName]string, error) {
	texts := make(map[recovery.WalletName]string)
	for _, way := range t.Ways() {
		if way.Flow != recovery.FlowCrossDevice || t.Round.Answer != nil || t.HandleOf(way) == "" {
			continue
		}
		text, err := p.requestURL(c, t, way)
		if err != nil {
			return nil, err
		}
		texts[way.Wallet] = text
	}
	return texts, nil
}

// qr draws the QR code of a cross-device request as SVG. It is drawn only when a browser asks for it.
func (p *Provider) qr(c *gin.Context, t recovery.Transaction) {
	text, err := p.requestURL(c, t, t.WayTo(recovery.WalletName(c.Query("wallet")), recovery.FlowCrossDevice))
	if err != nil {
		p.failPage(c, err)
		return
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		p.failPage(c, fmt.Errorf("draw QR code: %w", err))
		return
	}
	c.Data(http.StatusOK, "image/svg+xml", drawSVG(code))
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
