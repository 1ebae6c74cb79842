package phone

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
)

const (
	cookieName = "__Host-phone"
	maxPhones  = 500
	maxTasks   = 8
	idle       = 12 * time.Hour
)

// errNobody reports a Face Check on a phone that belongs to nobody yet.
var errNobody = errors.New("no person was chosen for this phone")

// handset is one browser's phone. mu is held while one of its requests is handled.
type handset struct {
	mu     sync.Mutex
	token  string // against forged requests
	wallet *wallet.Wallet
	// authenticator answers requests of the profile of 2022, out of credentials of its own.
	authenticator *authenticator.Wallet

	owner *Person
	photo []byte // the last selfie
	tasks []*task
	used  time.Time // guarded by the store
}

// Selfie lets the wallet use the owner's camera, and keeps the picture for the page.
func (h *handset) Selfie(ctx context.Context) ([]byte, error) {
	if h.owner == nil {
		return nil, errNobody
	}
	photo, err := h.owner.Camera.Selfie(ctx)
	if err != nil {
		return nil, err
	}
	h.photo = photo
	return photo, nil
}

func (h *handset) owns(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(h.token)) == 1
}

// start puts a task on the phone and drops the oldest ones: links cost a stranger nothing.
func (h *handset) start(t *task) {
	h.tasks = append(h.tasks, t)
	if len(h.tasks) > maxTasks {
		h.tasks = slices.Delete(h.tasks, 0, len(h.tasks)-maxTasks)
	}
}

func (h *handset) task(id string) *task {
	for _, t := range h.tasks {
		if t.id == id {
			return t
		}
	}
	return nil
}

// store keeps the phones by their cookie.
type store struct {
	mu     sync.Mutex
	phones map[string]*handset
}

func newStore() *store { return &store{phones: map[string]*handset{}} }

func (s *store) find(id string, now time.Time) *handset {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.phones[id]
	if h == nil || now.Sub(h.used) > idle {
		return nil
	}
	h.used = now
	return h
}

// put adds a phone; a full store loses the one that was not used for the longest time.
func (s *store) put(id string, h *handset, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.phones) >= maxPhones {
		oldest := ""
		for candidate, phone := range s.phones {
			if oldest == "" || phone.used.Before(s.phones[oldest].used) {
				oldest = candidate
			}
		}
		delete(s.phones, oldest)
	}
	h.used = now
	s.phones[id] = h
}

// handset finds the phone of the browser's cookie, or gives the browser a new one.
func (s *Server) handset(w http.ResponseWriter, r *http.Request) (*handset, error) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		if h := s.phones.find(cookie.Value, s.cfg.Clock()); h != nil {
			return h, nil
		}
	}
	h, err := s.newHandset()
	if err != nil {
		return nil, err
	}
	id, err := s.text()
	if err != nil {
		return nil, err
	}
	s.phones.put(id, h, s.cfg.Clock())
	// Lax, not Strict: the browser comes from the verifier's page and must be known here.
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return h, nil
}

func (s *Server) newHandset() (*handset, error) {
	token, err := s.text()
	if err != nil {
		return nil, err
	}
	h := &handset{token: token}
	h.wallet, err = wallet.New(wallet.Config{
		HTTPClient: s.cfg.HTTPClient, Clock: s.cfg.Clock, Random: s.cfg.Random, Logger: s.cfg.Logger, Camera: h,
		RequestAnchors: s.cfg.RequestAnchors, IssuerAnchors: s.cfg.IssuerAnchors, ReceiptType: s.cfg.ReceiptType, Requests: s.cfg.Requests,
	})
	if err != nil {
		return nil, err
	}
	h.authenticator, err = s.newAuthenticator(h)
	return h, err
}

// text returns 128 random bits.
func (s *Server) text() (string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(s.cfg.Random, raw); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}
