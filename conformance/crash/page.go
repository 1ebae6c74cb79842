package crash

import (
	"net/http"
	"regexp"
	"strings"

	"regain/conformance/browser"
)

// fromBalancer reports whether an answer is the balancer's own: no node answered.
func fromBalancer(p *browser.Page) bool {
	return (p.Status == http.StatusBadGateway || p.Status == http.StatusGatewayTimeout) && strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain")
}

// internals are words that a person must never read: of a stack trace, and of what is behind the pages.
var internals = regexp.MustCompile(`goroutine \d|panic:|runtime error|\.go:\d|(?i)mongo|bbolt|bolt\.|connection re(fused|set)|i/o timeout|context (deadline|canceled)|\bEOF\b|storage:|compare-and-swap`)

// waysOn are the ids of what a person can do on a page, and goesOn on a page that says that something went wrong.
func waysOn() []string {
	return append(goesOn(), "have-verified-id", "open-wallet", "again", "finish", "confirm", "proceed", "look", "show-pass", "go-on", "name-account", "go-back")
}

func goesOn() []string { return []string{"try-again", "back", "start-again"} }

// ends are the ids that a page of a recovery which is over has one of.
func ends() []string {
	return []string{"expired", "denied", "cancelled", "evaluated", "complete", "start-again"}
}

func hasOneOf(p *browser.Page, ids []string) bool {
	for _, id := range ids {
		if p.Has(id) {
			return true
		}
	}
	return false
}

// see judges a page that a node rendered: it must say what to do.
func (t *tally) see(p *browser.Page) {
	if p.Status == 0 || fromBalancer(p) {
		return
	}
	t.add(&t.pages)
	if p.Status >= http.StatusInternalServerError {
		t.add(&t.errors)
	}
	const least = 40 // octets: a heading, a sentence, something to do
	var what string
	switch text := p.Text(); {
	case !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html"):
		what = "an answer that is no page"
	case len(text) < least || p.Title == "":
		what = "a blank page"
	case internals.MatchString(text):
		what = "a page that tells what is inside: " + internals.FindString(text)
	case p.Status >= http.StatusInternalServerError && !hasOneOf(p, goesOn()):
		what = "an error page without the offer to try again"
	case !hasOneOf(p, waysOn()):
		what = "a page that does not say what to do"
	default:
		return
	}
	t.problem(what+", at "+step(p), p.Title+": "+p.Text()+"\n"+string(p.Body))
}

// step is the path of a page without the transaction's id.
func step(p *browser.Page) string {
	parts := strings.Split(p.URL.Path, "/")
	if len(parts) > 2 && parts[1] == "recover" {
		parts[2] = "…"
	}
	return strings.Join(parts, "/")
}
