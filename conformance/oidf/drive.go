package oidf

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"regain/conformance/browser"
	"regain/conformance/oidf/picture"
	"regain/conformance/oidf/target"
)

// Party is the party under test, as far as the runner moves it.
type Party interface {
	// Rotate takes a new signing key.
	Rotate() error
	// Recover recovers an account as its owner would, with the suite for a wallet.
	Recover(ctx context.Context, account string) (target.Ending, error)
	// Visit opens an address as a person would.
	Visit(ctx context.Context, address string) (*browser.Page, error)
	// Ask asks a wallet of ours over the Digital Credentials API.
	Ask(ctx context.Context, wallet string, a target.Asked) (target.Answered, error)
	// Offer has an issuer of ours offer a credential, and returns the query of the offer's link.
	Offer(ctx context.Context, issuer, configuration string) (string, error)
}

// errDrive ends a module in which the runner could not do its part.
var errDrive = errors.New("drive")

// steps are what the runner does in a module, by the status that it does them in.
func (s *Suite) steps(p Plan, m Module, instance string) map[string]func(context.Context) error {
	steps := map[string]func(context.Context) error{
		"CONFIGURED": func(ctx context.Context) error { // and waits to be told to go on
			if slices.Contains(p.RotateBefore, m.Name) {
				if err := s.Party.Rotate(); err != nil {
					return err
				}
			}
			return s.call(ctx, http.MethodPost, "/api/runner/"+instance, nil, nil)
		},
	}
	var drive func(context.Context) error
	switch d := p.Drive; {
	case d.Recover != "":
		drive = func(ctx context.Context) error { return s.recover(ctx, instance, d.Recover) }
	case d.Present != "":
		drive = func(ctx context.Context) error { return s.present(ctx, instance, d.Present) }
	case d.Accept:
		drive = func(ctx context.Context) error { return s.accept(ctx, instance) }
	case d.Offer != (Offered{}):
		drive = func(ctx context.Context) error { return s.offer(ctx, instance, d.Offer) }
	default:
		return steps
	}
	steps["WAITING"] = func(ctx context.Context) error {
		if err := drive(ctx); err != nil {
			return fmt.Errorf("%w: %w", errDrive, err)
		}
		return nil
	}
	return steps
}

// recover recovers an account, and shows the suite the page where that ended. Where the suite wants a picture the
// presentation was good, so that the account must have been recovered; where it wants none the presentation was not, and
// must have changed nothing.
func (s *Suite) recover(ctx context.Context, instance, account string) error {
	ending, err := s.Party.Recover(ctx, account)
	if err != nil {
		return err
	}
	wanted, err := s.wanted(ctx, instance)
	if err != nil {
		return err
	}
	if ending.Succeeded != (len(wanted) > 0) {
		return fmt.Errorf("the suite wants %d pictures of a success, and the page says: %s", len(wanted), ending.Page.Text())
	}
	return s.show(ctx, instance, wanted, pictured(ending.Page))
}

// wanted are the placeholders of the pictures that an instance waits for.
func (s *Suite) wanted(ctx context.Context, instance string) ([]string, error) {
	entries, err := s.log(ctx, instance)
	if err != nil {
		return nil, err
	}
	var placeholders []string
	for _, e := range entries {
		if e.Upload != "" {
			placeholders = append(placeholders, e.Upload)
		}
	}
	return placeholders, nil
}

// show uploads a picture of a page for each placeholder.
func (s *Suite) show(ctx context.Context, instance string, placeholders []string, page picture.Page) error {
	drawn, err := picture.Draw(page)
	if err != nil {
		return err
	}
	body := plain("data:image/png;base64," + base64.StdEncoding.EncodeToString(drawn))
	for _, placeholder := range placeholders {
		if err := s.call(ctx, http.MethodPost, "/api/log/"+instance+"/images/"+url.PathEscape(placeholder), body, nil); err != nil {
			return err
		}
	}
	return nil
}

// pictured is what a picture shows of a page.
func pictured(page *browser.Page) picture.Page {
	text, ok := page.ByID("main")
	if !ok {
		text = page.Text()
	}
	return picture.Page{Address: page.URL.Scheme + "://" + page.URL.Host, Title: page.Title, Text: text}
}
