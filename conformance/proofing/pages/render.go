package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"

	"regain/conformance/people"
	"regain/conformance/proofing/facecheck"
)

//go:embed templates assets
var files embed.FS

// templates are the parsed pages, one for each stage.
type templates map[string]*template.Template

func parse() (templates, error) {
	set := templates{}
	for _, name := range []string{"home", "welcome", "document", "check", "face", "offer", "done", "failed", "problem"} {
		page, err := template.ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("parsing the page %q: %w", name, err)
		}
		set[name] = page
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
func (p *Pages) viewOf(j *journey) view {
	at := j.now(p.clock())
	v := view{CSRF: j.csrf, Stage: at, Score: int(j.score), Threshold: facecheck.Threshold, Left: maxSelfies - j.selfies}
	v.Person, v.Selfie = j.file.Person, j.selfie != nil
	if j.from != nil {
		v.Organisation = j.from.Organisation
	}
	switch at {
	case stageDocument:
		v.People = people.Samples()
	case stageOffer, stageTaken:
		v.Wallet, v.TxCode, v.Reload = p.offers.WalletLink(j.offer), j.offer.TxCode, true
	}
	return v
}

func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, v view) {
	v.Provider = p.name
	name := string(v.Stage)
	switch v.Stage {
	case stageTaken, stageLapsed:
		name = string(stageOffer)
	}
	var page bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&page, "layout", v); err != nil {
		p.errors.Fault(w, r, fmt.Errorf("rendering the page %q: %w", name, err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}
