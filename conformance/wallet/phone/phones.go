package phone

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
)

const (
	cookieName = "__Host-phone"
	maxPhones  = 500
	idle       = 12 * time.Hour
)

// phones makes phones, and keeps them by their cookie.
type phones struct {
	cfg Config

	mu   sync.Mutex
	kept map[string]*handset
}

func (p *phones) find(id string, now time.Time) *handset {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.kept[id]
	if h == nil || now.Sub(h.used) > idle {
		return nil
	}
	h.used = now
	return h
}

// put adds a phone; a full store loses the one that was not used for the longest time.
func (p *phones) put(id string, h *handset, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept) >= maxPhones {
		oldest := ""
		for candidate, phone := range p.kept {
			if oldest == "" || phone.used.Before(p.kept[oldest].used) {
				oldest = candidate
			}
		}
		delete(p.kept, oldest)
	}
	h.used = now
	p.kept[id] = h
}

// of finds the phone of the browser's cookie, or gives the browser a new one.
func (p *phones) of(w http.ResponseWriter, r *http.Request) (*handset, error) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		if h := p.find(cookie.Value, p.cfg.Clock()); h != nil {
			return h, nil
		}
	}
	h, err := p.make()
	if err != nil {
		return nil, err
	}
	id, err := text(p.cfg.Random)
	if err != nil {
		return nil, err
	}
	p.put(id, h, p.cfg.Clock())
	// Lax, not Strict: the browser comes from the verifier's page and must be known here.
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return h, nil
}

func (p *phones) make() (*handset, error) {
	token, err := text(p.cfg.Random)
	if err != nil {
		return nil, err
	}
	h := &handset{token: token}
	h.wallet, err = wallet.New(wallet.Config{
		HTTPClient: p.cfg.HTTPClient, Clock: p.cfg.Clock, Random: p.cfg.Random, Logger: p.cfg.Logger, Camera: h,
		RequestAnchors: p.cfg.RequestAnchors, IssuerAnchors: p.cfg.IssuerAnchors, ReceiptType: p.cfg.ReceiptType, Requests: p.cfg.Requests,
	})
	if err != nil {
		return nil, err
	}
	h.authenticator, err = p.newAuthenticator(h)
	return h, err
}

// newAuthenticator makes the authenticator of a phone. Where the phone itself is served without a
// certificate, no other party on this machine has one either.
func (p *phones) newAuthenticator(h *handset) (*authenticator.Wallet, error) {
	return authenticator.New(authenticator.Config{
		HTTPClient: p.cfg.HTTPClient, Clock: p.cfg.Clock, Random: p.cfg.Random, Logger: p.cfg.Logger, Camera: h,
		PlainLocalhost: strings.HasPrefix(p.cfg.BaseURL, "http:"),
	})
}

// text returns 128 random bits.
func text(random io.Reader) (string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}
