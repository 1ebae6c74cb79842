// Package headless is a wallet without a person in front of it: it agrees to everything at once, so that
// a program can drive it where a person would tap.
//
//	GET  /offer      an issuer's link arrives (see wallet.OfferHandler), and the offer is taken up
//	GET  /authorize  a verifier's link arrives, with its request by reference, by value or as bare
//	                 parameters; it is answered, and the browser goes on to where the verifier says
//	POST /digital    {"protocol", "data", "origin"} as a page and its platform hand them over the
//	                 Digital Credentials API → {"protocol", "data"}
//
// A page that stays says in its one element's id what happened: shared, declined (the wallet does
// not hold what is asked for, and the verifier was told), refused (the request breaks a rule, and
// its code is on the page) or failed.
package headless

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"sync"

	"regain/conformance/wallet"
)

const (
	maxQuery = 16 << 10
	maxBody  = 1 << 20
)

// Config is what a headless wallet is made of. Wallet and Logger are required.
type Config struct {
	Wallet *wallet.Wallet
	Logger *slog.Logger
	// Report tells verifiers why their requests are refused (OpenID4VP 1.0 §8.2). The OpenID
	// Foundation's suite wants the person told, and not the verifier.
	Report bool
	Share  wallet.ShareOptions // how it answers; the zero value honestly
	TxCode string              // what it types where an issuer's offer asks for a transaction code
}

// Handler is the wallet's HTTP surface.
type Handler struct {
	cfg  Config
	mux  *http.ServeMux
	page *template.Template
	mu   sync.Mutex // one request at a time: a Face Check is of one request
}

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Wallet</title></head><body>
<h1 id="{{.ID}}">{{.Title}}</h1>{{with .Code}}<p id="code">{{.}}</p>{{end}}</body></html>`

// outcome is what the page says.
type outcome struct {
	status    int
	ID, Title string
	Code      string
}

// New refuses what is missing.
func New(cfg Config) (*Handler, error) {
	if cfg.Wallet == nil || cfg.Logger == nil {
		return nil, errors.New("making a headless wallet: Wallet or Logger is missing")
	}
	parsed, err := template.New("page").Parse(page)
	if err != nil {
		return nil, fmt.Errorf("making a headless wallet: reading the page: %w", err)
	}
	h := &Handler{cfg: cfg, mux: http.NewServeMux(), page: parsed}
	h.mux.Handle("GET /offer", cfg.Wallet.OfferHandler(cfg.TxCode))
	h.mux.HandleFunc("GET /authorize", h.authorize)
	h.mux.HandleFunc("POST /digital", h.digital)
	return h, nil
}

// ServeHTTP serves the three routes.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

func (h *Handler) authorize(w http.ResponseWriter, r *http.Request) {
	if len(r.URL.RawQuery) > maxQuery {
		http.Error(w, "This link is too long.", http.StatusRequestURITooLong)
		return
	}
	h.mu.Lock()
	redirect, o, err := h.answer(r)
	h.mu.Unlock()
	if err != nil {
		h.cfg.Logger.WarnContext(r.Context(), "wallet step", "outcome", o.ID, "error", err)
	}
	if redirect != "" {
		http.Redirect(w, r, redirect, http.StatusSeeOther)
		return
	}
	h.show(w, o)
}

// answer does what a person would who says yes to everything.
func (h *Handler) answer(r *http.Request) (redirect string, o outcome, err error) {
	ctx, holder := r.Context(), h.cfg.Wallet
	request, err := holder.Review(ctx, "openid4vp://authorize?"+r.URL.RawQuery)
	if err != nil {
		return h.refuse(r, err)
	}
	if len(request.Missing) > 0 {
		redirect, err = holder.Decline(ctx, request)
		return redirect, outcome{http.StatusOK, "declined", "The wallet does not hold what is asked for.", ""}, err
	}
	if id := request.FaceCheckFor(); id != "" {
		if err := holder.FaceCheck(ctx, id); err != nil {
			return "", failed(), err
		}
	}
	redirect, err = holder.Share(ctx, request, h.cfg.Share)
	if err != nil {
		return "", failed(), err
	}
	return redirect, outcome{http.StatusOK, "shared", "Shared.", ""}, nil
}

func (h *Handler) refuse(r *http.Request, err error) (string, outcome, error) {
	var down *wallet.RequestError
	if !errors.As(err, &down) {
		return "", failed(), err
	}
	o := outcome{http.StatusBadRequest, "refused", "The wallet refused this request.", down.Code}
	if !h.cfg.Report {
		return "", o, err
	}
	redirect, told := h.cfg.Wallet.Report(r.Context(), err)
	return redirect, o, errors.Join(err, told)
}

func failed() outcome { return outcome{http.StatusBadGateway, "failed", "It did not work.", ""} }

func (h *Handler) show(w http.ResponseWriter, o outcome) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(o.status)
	_ = h.page.Execute(w, o) // a browser that is gone needs no page
}

// digital plays the platform's part of the Digital Credentials API too: it believes what the caller
// says of the origin.
func (h *Handler) digital(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Protocol string          `json:"protocol"`
		Data     json.RawMessage `json:"data"`
		Origin   string          `json:"origin"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&body); err != nil {
		http.Error(w, "This is not a request over the Digital Credentials API.", http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	data, err := h.cfg.Wallet.Respond(r.Context(), wallet.DigitalRequest{Protocol: body.Protocol, Data: body.Data, Origin: body.Origin}, h.cfg.Share)
	h.mu.Unlock()
	if err != nil {
		h.cfg.Logger.WarnContext(r.Context(), "wallet step", "outcome", "failed", "error", err)
		http.Error(w, "It did not work.", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"protocol": body.Protocol, "data": data})
}
