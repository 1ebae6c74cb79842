package proofing

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"rsc.io/qr"

	"regain/conformance/people"
)

//go:embed templates assets
var files embed.FS

// pageSet holds the parsed pages, one for each stage.
type pageSet struct{ pages map[string]*template.Template }

func newPageSet() (*pageSet, error) {
	set := &pageSet{pages: map[string]*template.Template{}}
	for _, name := range []string{"home", "welcome", "document", "check", "face", "offer", "done", "failed", "problem"} {
		page, err := template.ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("parsing the page %q: %w", name, err)
		}
		set.pages[name] = page
	}
	return set, nil
}

// view is what the pages know.
type view struct {
	Provider, Organisation, CSRF string
	Stage                        stage
	Problem                      string

	People           []people.Person
	Person           people.Person
	Score, Threshold int
	Left             int // selfies
	Selfie           bool
	Wallet           string
	TxCode           string // to be typed into the wallet
	Reload           bool   // without scripts, the page asks again by itself
}

// viewOf is what the page of a journey shows. The caller holds the lock.
func (s *Server) viewOf(j *journey) view {
	at := j.now(s.config.Clock())
	v := view{CSRF: j.csrf, Stage: at, Score: int(j.score), Threshold: threshold, Left: maxSelfies - j.selfies}
	v.Person, v.Selfie = j.file.person, j.selfie != nil
	if j.from != nil {
		v.Organisation = j.from.Organisation
	}
	switch at {
	case stageDocument:
		v.People = people.Samples()
	case stageOffer, stageTaken:
		v.Wallet, v.TxCode, v.Reload = s.walletLink(j.offer), j.offer.txCode, true
	}
	return v
}

func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, v view) {
	v.Provider = s.config.Name
	name := string(v.Stage)
	switch v.Stage {
	case stageTaken, stageLapsed:
		name = string(stageOffer)
	}
	var page bytes.Buffer
	if err := s.pages.pages[name].ExecuteTemplate(&page, "layout", v); err != nil {
		s.fault(w, r, fmt.Errorf("rendering the page %q: %w", name, err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

func (s *Server) serveAsset(w http.ResponseWriter, r *http.Request) {
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
func (s *Server) serveQR(w http.ResponseWriter, r *http.Request) {
	var link string
	s.travel(r, func(j *journey) {
		if j.now(s.config.Clock()) == stageOffer {
			link = s.walletLink(j.offer)
		}
	})
	if link == "" {
		http.NotFound(w, r)
		return
	}
	code, err := qr.Encode(link, qr.M)
	if err != nil {
		s.fault(w, r, fmt.Errorf("drawing the QR code: %w", err))
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
