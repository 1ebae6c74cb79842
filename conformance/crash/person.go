package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"regain/conformance/browser"
	"regain/conformance/load"
	"regain/conformance/rp"
	"regain/conformance/testenv"
)

// people are what all persons of a run share.
type people struct {
	env     *testenv.Env
	wallet  *load.Presenter
	tally   *tally
	stuck   *stuck
	life    time.Duration // of a transaction
	forgets bool          // the store is in the memory of the node
}

// person is somebody who wants back into an account: with a browser, a wallet, and an IdP that recovers them. What a page
// says, they do.
type person struct {
	*people
	account string
	client  *http.Client // of the browser and the wallet
	chance  *rand.Rand

	browser *browser.Browser
	attempt rp.Attempt
	page    *url.URL // of the recovery, once one was shown
}

const (
	maxStarts  = 6  // recoveries that a person begins before they give up
	maxSteps   = 60 // of one recovery
	maxReloads = 40 // of one page, which nobody answers
	pause      = 100 * time.Millisecond
	// leavers is one in how many pages from which a person goes away, and begins anew: what they leave must end by itself.
	leavers = 80
)

// journey is one person's whole way. It returns why they gave up, "" where they did not.
func (p *person) journey(ctx context.Context) string {
	cause := ""
	for range maxStarts {
		if cause = p.recovery(ctx); cause == "" {
			return ""
		}
		if ctx.Err() != nil {
			return "the run ended"
		}
		p.tally.begunAnew(cause)
	}
	return cause
}

// recovery is one recovery, in a browser of its own. What it leaves open is looked at again at the end of the run.
func (p *person) recovery(ctx context.Context) (cause string) {
	p.browser, p.page = p.newBrowser(), nil
	p.tally.add(&p.tally.recoveries)
	defer func() {
		if cause != "" && p.page != nil {
			p.stuck.add(open{p.browser, p.page, time.Now().Add(p.life)})
		}
	}()
	var err error
	if p.attempt, err = p.push(ctx); err != nil {
		return "the pushed request: " + brief(err)
	}
	page := p.do(ctx, func() (*browser.Page, error) { return p.browser.Open(ctx, p.attempt.AuthorizeURL) })
	for range maxSteps {
		switch {
		case page == nil:
			return "nobody answered"
		case p.chance.IntN(leavers) == 0:
			return "the person left"
		case page.Status == 0:
			return p.back(ctx, page.URL.String())
		}
		next, cause := p.step(ctx, page)
		if cause != "" {
			return cause
		}
		page = next
	}
	return fmt.Sprintf("no end after %d steps: %s", maxSteps, page.Title)
}

func (p *person) newBrowser() *browser.Browser {
	return browser.New(browser.Config{HTTPClient: p.client, StopAt: func(u *url.URL) bool {
		return u.Scheme+"://"+u.Host+u.Path == testenv.ProgramRedirect
	}})
}

// do has the browser do something, and the person load again while nobody answers. nil: nobody ever did.
func (p *person) do(ctx context.Context, work func() (*browser.Page, error)) *browser.Page {
	for range maxReloads {
		page, err := work()
		switch {
		case err != nil:
			p.tally.add(&p.tally.broken)
		case fromBalancer(page):
			p.tally.add(&p.tally.gateway)
		default:
			p.tally.see(page)
			if strings.HasPrefix(page.URL.Path, "/recover/") {
				p.page = &url.URL{Scheme: page.URL.Scheme, Host: page.URL.Host, Path: strings.Join(strings.Split(page.URL.Path, "/")[:3], "/")} // without the step
			}
			return page
		}
		if !p.wait(ctx) {
			return nil
		}
	}
	return nil
}

// wait is a moment; false where the run has ended.
func (p *person) wait(ctx context.Context) bool {
	return sleep(ctx, pause+time.Duration(p.chance.Int64N(int64(pause))))
}

func (p *person) open(ctx context.Context, address string) *browser.Page {
	return p.do(ctx, func() (*browser.Page, error) { return p.browser.Open(ctx, address) })
}

// step does what the page says.
func (p *person) step(ctx context.Context, page *browser.Page) (next *browser.Page, cause string) {
	if link, ok := page.Link("open-wallet"); ok {
		if to, err := p.wallet.Present(ctx, p.client, link); err == nil {
			return p.open(ctx, to), ""
		}
		// The wallet says that it could not; the person looks at the browser again, whose page says how it goes on.
		p.tally.add(&p.tally.broken)
		if !p.wait(ctx) {
			return nil, ""
		}
		if _, ok := page.Form("again"); !ok || p.chance.IntN(2) == 0 {
			return p.open(ctx, page.URL.String()), ""
		}
	}
	for _, id := range []string{"have-verified-id", "again", "finish", "start-again"} {
		if form, ok := page.Form(id); ok {
			return p.do(ctx, func() (*browser.Page, error) { return p.browser.Submit(ctx, form, nil) }), ""
		}
	}
	for _, id := range []string{"try-again", "back"} {
		if link, ok := page.Link(id); ok && p.wait(ctx) {
			return p.do(ctx, func() (*browser.Page, error) { return p.browser.Follow(ctx, link) }), ""
		}
	}
	if page.Has("start-again") {
		return nil, fmt.Sprintf("%q (%d)", page.Title, page.Status)
	}
	if page.Has("progress") && p.wait(ctx) {
		return p.open(ctx, page.URL.String()), ""
	}
	return nil, fmt.Sprintf("no way on from %q (%d)", page.Title, page.Status)
}

// stuck collects the recoveries that did not end in a pass.
type stuck struct {
	mu   sync.Mutex
	left []open
}

// open is a recovery that a person left, and the browser that holds it.
type open struct {
	browser *browser.Browser
	page    *url.URL
	until   time.Time // it is over by then
}

func (s *stuck) add(o open) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = append(s.left, o)
}

// brief is an error without what differs from one occurrence to the next.
func brief(err error) string {
	var refused *rp.Error
	if errors.As(err, &refused) {
		return fmt.Sprintf("%d %s", refused.Status, refused.Code)
	}
	return "no answer"
}
