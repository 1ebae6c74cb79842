package oidf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"regain/conformance/browser"
	"regain/conformance/oidf/picture"
	"regain/conformance/oidf/target"
)

// running is what an instance wants of a person's browser.
type running struct {
	Browser struct {
		URLs    []string `json:"urls"`
		Digital []struct {
			Request struct {
				Digital struct {
					Requests []target.Asked `json:"requests"`
				} `json:"digital"`
			} `json:"request"`
			SubmitURL string `json:"submitUrl"`
		} `json:"browserApiRequests"`
	} `json:"browser"`
}

// present has a wallet of ours answer the suite. Where the wallet refuses, the suite must want a picture of that.
func (s *Suite) present(ctx context.Context, instance, wallet string) error {
	var at running
	if err := s.call(ctx, http.MethodGet, "/api/runner/"+instance, nil, &at); err != nil {
		return err
	}
	var refusal *picture.Page
	var err error
	switch {
	case len(at.Browser.URLs) == 1:
		refusal, err = s.visit(ctx, at.Browser.URLs[0])
	case len(at.Browser.Digital) == 1 && len(at.Browser.Digital[0].Request.Digital.Requests) == 1:
		asked := at.Browser.Digital[0]
		refusal, err = s.ask(ctx, wallet, asked.Request.Digital.Requests[0], asked.SubmitURL)
	default:
		err = errors.New("the suite asks for neither one visit nor one credential")
	}
	if err != nil || refusal == nil {
		return err
	}
	return s.showSoon(ctx, instance, *refusal)
}

// visit opens the link to the wallet, which answers at once, and goes where it leads.
func (s *Suite) visit(ctx context.Context, link string) (refusal *picture.Page, err error) {
	page, err := s.Party.Visit(ctx, link)
	switch {
	case err != nil:
		return nil, err
	case strings.HasPrefix(page.URL.String(), s.base):
		return nil, s.arrive(ctx, page)
	case page.Has("refused"):
		shown := pictured(page)
		return &shown, nil
	case page.Has("shared"), page.Has("declined"):
		return nil, nil
	}
	return nil, fmt.Errorf("status %d, page %q: %s", page.Status, page.Title, page.Text())
}

// submission is where the suite's page sends the fragment that it was opened with.
var submission = regexp.MustCompile(`xhr\.open\('POST', ("[^"]*")`)

// arrive does what the script of the suite's page does: the runner's browser runs none.
func (s *Suite) arrive(ctx context.Context, page *browser.Page) error {
	var to string
	found := submission.FindSubmatch(page.Body)
	if found == nil {
		return fmt.Errorf("the suite's page %q sends nothing: status %d", page.Title, page.Status)
	}
	if err := json.Unmarshal(found[1], &to); err != nil {
		return fmt.Errorf("the suite's page %q: %w", page.Title, err)
	}
	return s.submit(ctx, to, "#"+page.URL.Fragment)
}

// submit posts to one of the suite's pages.
func (s *Suite) submit(ctx context.Context, to, text string) error {
	path, ours := strings.CutPrefix(to, s.base)
	if !ours {
		return fmt.Errorf("the suite's page would post to %s", to)
	}
	return s.call(ctx, http.MethodPost, path, plain(text), nil)
}

// ask does what the suite's page does with navigator.credentials.get: a wallet that refuses is an exception to it.
func (s *Suite) ask(ctx context.Context, wallet string, asked target.Asked, submitURL string) (refusal *picture.Page, err error) {
	asked.Origin = s.base
	answered, err := s.Party.Ask(ctx, wallet, asked)
	if err != nil {
		return nil, err
	}
	result := map[string]any{"protocol": asked.Protocol, "data": answered.Data}
	if answered.Refusal != "" {
		refusal = &picture.Page{Address: s.base, Title: "The wallet refused this request.", Text: answered.Refusal}
		result = map[string]any{"exception": map[string]string{"name": "NotAllowedError", "message": "no credential"}}
	}
	text, err := json.Marshal(result)
	if err != nil {
		return nil, fmt.Errorf("encode for the suite: %w", err)
	}
	return refusal, s.submit(ctx, submitURL, string(text))
}

// soon is how long the suite may take to want a picture.
const soon = 10 * time.Second

// showSoon shows a page as soon as the suite wants a picture.
func (s *Suite) showSoon(ctx context.Context, instance string, page picture.Page) error {
	for began := time.Now(); time.Since(began) < soon; {
		wanted, err := s.wanted(ctx, instance)
		if err != nil {
			return err
		}
		if len(wanted) > 0 {
			return s.show(ctx, instance, wanted, page)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(poll):
		}
	}
	return fmt.Errorf("the suite wants no picture, and the wallet says: %s %s", page.Title, page.Text)
}
