package oidf

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// accept has a wallet of ours take up the suite's offer. What the wallet must do then, the suite sees.
func (s *Suite) accept(ctx context.Context, instance string) error {
	var at running
	if err := s.call(ctx, http.MethodGet, "/api/runner/"+instance, nil, &at); err != nil {
		return err
	}
	if len(at.Browser.URLs) != 1 {
		return errors.New("the suite wants no link visited")
	}
	page, err := s.Party.Visit(ctx, at.Browser.URLs[0])
	if err == nil && page.Status != http.StatusOK {
		err = fmt.Errorf("the wallet: status %d: %.500s", page.Status, page.Body)
	}
	return err
}

// waitsForOffer is the entry of the suite's log that says that it waits for an offer.
const waitsForOffer = "VCIWaitForCredentialOffer"

// offer brings the suite an offer each time that it waits for one: a pre-authorized code is good once, and some modules
// play two wallets.
func (s *Suite) offer(ctx context.Context, instance string, offered Offered) error {
	var at struct {
		Exposed struct {
			Endpoint string `json:"credential_offer_endpoint"`
		} `json:"exposed"`
	}
	if err := s.call(ctx, http.MethodGet, "/api/runner/"+instance, nil, &at); err != nil {
		return err
	}
	for brought := 0; ; {
		wanted, ended, err := s.offersWanted(ctx, instance)
		if err != nil || ended {
			return err
		}
		if brought < wanted {
			query, err := s.Party.Offer(ctx, offered.Issuer, offered.Configuration)
			if err != nil {
				return err
			}
			// The module does everything before it answers. One that failed by then answers that, and its log says why.
			err = s.call(ctx, http.MethodGet, strings.TrimPrefix(at.Exposed.Endpoint, s.base)+query, nil, nil)
			if err != nil && !errors.Is(err, errSays) {
				return err
			}
			brought++
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(poll):
		}
	}
}

// offersWanted counts how often an instance waited for an offer so far.
func (s *Suite) offersWanted(ctx context.Context, instance string) (wanted int, ended bool, err error) {
	var at info
	if err := s.call(ctx, http.MethodGet, "/api/info/"+instance, nil, &at); err != nil {
		return 0, false, err
	}
	entries, err := s.log(ctx, instance)
	for _, e := range entries {
		if e.Source == waitsForOffer {
			wanted++
		}
	}
	return wanted, at.ended(), err
}
