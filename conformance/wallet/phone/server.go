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
	baseURL string
	phones  *phones
	screen  *screen
	random  io.Reader
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
	s := &Server{
		baseURL: cfg.BaseURL, random: cfg.Random, phones: &phones{cfg: cfg, kept: map[string]*handset{}},
		screen: &screen{pages: pages, baseURL: cfg.BaseURL, people: cfg.People, logger: cfg.Logger},
	}
	if _, err := s.phones.make(); err != nil {
		return nil, fmt.Errorf("making a phone server: %w", err)
	}
	return s, nil
}

// Handler returns the whole surface.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	by := &switchboard{phones: s.phones, screen: s.screen}
	for _, part := range []interface {
		mount(*http.ServeMux, *switchboard)
	}{&home{s.screen}, &arrivals{screen: s.screen, random: s.random}, &tasks{s.screen}} {
		part.mount(mux, by)
	}
	return guard(s.baseURL, mux)
}
