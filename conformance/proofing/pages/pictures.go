package pages

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"rsc.io/qr"

	"regain/conformance/people"
)

// serveSelfie shows people the picture that was taken of them, in their own browser only.
func (p *Pages) serveSelfie(w http.ResponseWriter, r *http.Request) {
	var picture []byte
	if !p.journeys.travel(r, func(j *journey) { picture = j.selfie }) || picture == nil {
		http.NotFound(w, r)
		return
	}
	writeImage(w, "image/jpeg", picture)
}

// servePortrait shows the photo of a sample document. It is drawn, not of a real person.
func (p *Pages) servePortrait(w http.ResponseWriter, r *http.Request) {
	person, found := people.Find(r.PathValue("id"))
	if !found {
		http.NotFound(w, r)
		return
	}
	portrait, err := p.studio.Portrait(person)
	if err != nil {
		p.errors.Fault(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "max-age=3600")
	writeImage(w, "image/jpeg", portrait)
}

func writeImage(w http.ResponseWriter, mediaType string, data []byte) {
	w.Header().Set("Content-Type", mediaType)
	_, _ = w.Write(data)
}

// serveAsset serves what the pages look like.
func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	data, err := files.ReadFile("assets/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	kind := "text/css; charset=utf-8"
	switch {
	case strings.HasSuffix(name, ".js"):
		kind = "text/javascript; charset=utf-8"
	case strings.HasSuffix(name, ".svg"):
		kind = "image/svg+xml"
	}
	w.Header().Set("Cache-Control", "max-age=300")
	writeImage(w, kind, data)
}

// serveQR is the offer for a wallet on another device.
func (p *Pages) serveQR(w http.ResponseWriter, r *http.Request) {
	var link string
	p.journeys.travel(r, func(j *journey) {
		if j.now(p.clock()) == stageOffer {
			link = p.offers.WalletLink(j.offer)
		}
	})
	if link == "" {
		http.NotFound(w, r)
		return
	}
	code, err := qr.Encode(link, qr.M)
	if err != nil {
		p.errors.Fault(w, r, fmt.Errorf("drawing the QR code: %w", err))
		return
	}
	writeImage(w, "image/svg+xml", drawQR(code))
}

// drawQR draws one square for each dark module, with the quiet zone of four that scanners need. It stays dark on
// white in every colour scheme.
func drawQR(code *qr.Code) []byte {
	var out bytes.Buffer
	side := code.Size + 8
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, side, side)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="`, side, side)
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&out, "M%d %dh1v1h-1z", x+4, y+4)
			}
		}
	}
	out.WriteString(`"/></svg>`)
	return out.Bytes()
}
