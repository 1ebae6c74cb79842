package phone

import (
	"crypto/x509"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/request"
)

// Person is somebody whose phone this can be.
type Person struct {
	ID     string // [a-z0-9-]+, part of an element's id
	Name   string
	Hint   string // one sentence, may be empty
	Camera wallet.Camera
}

// Config is what the server is made of. Everything but the last three is required.
type Config struct {
	BaseURL        string // where browsers reach it, such as http://wallet.localhost:8403
	People         []Person
	HTTPClient     *http.Client // see wallet.NewHTTPClient
	Clock          func() time.Time
	Random         io.Reader
	Logger         *slog.Logger
	RequestAnchors *x509.CertPool // who may ask
	IssuerAnchors  *x509.CertPool // who may issue; nil takes every issuer
	ReceiptType    string         // vct of a Face Check receipt
	Requests       request.Policy // which requests are taken; the zero value is the strictest
}

// Server serves the phones.
type Server struct {
	cfg    Config
	pages  *template.Template
	phones *store
}

// NewServer checks the configuration, by making a wallet of it once.
func NewServer(cfg Config) (*Server, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, errors.New("making a phone server: BaseURL is not an http or https URL")
	}
	if cfg.Random == nil || cfg.Clock == nil {
		return nil, errors.New("making a phone server: Random or Clock is missing")
	}
	if len(cfg.People) == 0 {
		return nil, errors.New("making a phone server: People is empty")
	}
	for _, p := range cfg.People {
		if p.ID == "" || p.Name == "" || p.Camera == nil {
			return nil, errors.New("making a phone server: a person has no ID, Name or Camera")
		}
	}
	pages, err := template.ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("making a phone server: reading the pages: %w", err)
	}
	s := &Server{cfg: cfg, pages: pages, phones: newStore()}
	if _, err := s.newHandset(); err != nil {
		return nil, fmt.Errorf("making a phone server: %w", err)
	}
	return s, nil
}

// Handler returns the whole surface.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /style.css", s.style)
	mux.HandleFunc("GET /icon.svg", s.icon)
	mux.HandleFunc("GET /{$}", s.page(s.home))
	mux.HandleFunc("GET /offer", s.page(s.arriveOffer))
	mux.HandleFunc("GET /authorize", s.page(s.arriveRequest))
	mux.HandleFunc("GET /tasks/{task}", s.page(s.showTask))
	mux.HandleFunc("GET /tasks/{task}/selfie.jpg", s.page(s.selfie))
	mux.HandleFunc("GET /credentials/{credential}/portrait.jpg", s.page(s.portrait))
	mux.HandleFunc("POST /person", s.action(s.choosePerson))
	mux.HandleFunc("POST /scan", s.action(s.scan))
	mux.HandleFunc("POST /tasks/{task}/add", s.action(s.add))
	mux.HandleFunc("POST /tasks/{task}/face-check", s.action(s.faceCheck))
	mux.HandleFunc("POST /tasks/{task}/share", s.action(s.share))
	mux.HandleFunc("POST /tasks/{task}/decline", s.action(s.decline))
	mux.HandleFunc("/", s.page(s.notFound))
	return s.guard(mux)
}

// visit is one request of one phone.
type visit struct {
	w http.ResponseWriter
	r *http.Request
	h *handset
}

// seeOther sends the browser on with a GET. 307 would repeat the form at the next party
// (RFC 9700 §4.12).
func (v visit) seeOther(to string) { http.Redirect(v.w, v.r, to, http.StatusSeeOther) }

// page finds or makes the browser's phone; one request of a phone is handled at a time, as on a
// real one.
func (s *Server) page(handle func(visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h, err := s.handset(w, r)
		if err != nil {
			s.cfg.Logger.ErrorContext(r.Context(), "making a phone", "error", err)
			http.Error(w, "This phone could not be switched on. Try again in a minute.", http.StatusInternalServerError)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		handle(visit{w: w, r: r, h: h})
	}
}

// action is page for what changes something: it takes the phone's own token in the form.
func (s *Server) action(handle func(visit)) http.HandlerFunc {
	return s.page(func(v visit) {
		v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
		if err := v.r.ParseForm(); err != nil {
			s.fail(v, http.StatusBadRequest, problem{"That did not arrive whole", "What was sent is too long or damaged.", "Go back and try again."})
			return
		}
		if !v.h.owns(v.r.PostFormValue("csrf")) {
			s.fail(v, http.StatusForbidden, problem{"This page is too old", "The page was opened before this phone was switched on, or by another site.", "Open the wallet again and repeat the step."})
			return
		}
		handle(v)
	})
}
