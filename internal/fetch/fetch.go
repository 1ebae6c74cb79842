// Package fetch sends the server's outbound requests, mostly to addresses that strangers chose: it fetches documents
// and posts notifications.
//
// A credential names the status list that may revoke it, so the author of a credential chooses an address that this
// server connects to. Unchecked, an attacker reaches systems that only this server can reach: a database on loopback, a
// neighbour in the private network, the cloud's metadata service (server-side request forgery, SD-JWT VC §7.1).
// Every outbound request of the project goes through a [Fetcher], which refuses by default:
//
//   - schemes other than https; http only for hosts that the operator named
//   - user names in URLs, redirects, responses that are encoded, too long or too slow
//   - every address that is not globally routable. The address that is dialled is checked, not the name, so a name that
//     resolves to another address for the connection than for the check (DNS rebinding) gains nothing
//   - proxies of the environment, which would resolve names without these checks
//
// Names under .localhost are loopback whatever the resolver says (RFC 6761 §6.3), and loopback is allowed only for the
// hosts in [Config.AllowPrivateHosts].
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Errors of Get. A cancelled or expired context of the caller keeps its own error.
var (
	ErrForbidden = errors.New("address is not allowed")         // scheme, host, address or redirect
	ErrTooLarge  = errors.New("response is too large")          // more than Config.MaxBytes
	ErrStatus    = errors.New("response is not 200 OK")         // any other status
	ErrEncoded   = errors.New("response has an encoding")       // only identity was requested
	ErrTimeout   = errors.New("response took too long")         // Config.Timeout ran out
	ErrNetwork   = errors.New("server could not be reached")    // name resolution, connection, TLS
	errConfig    = errors.New("fetch configuration is invalid") // New only
)

const (
	defaultTimeout  = 10 * time.Second
	defaultMaxBytes = 2 << 20
	maxRedirects    = 2
)

// Config says what may be fetched. The zero value allows https to public addresses, with a timeout of 10 seconds and
// a limit of 2 MiB.
type Config struct {
	AllowHTTPHosts    []string       // "host" or "host:port" for which http is allowed beside https
	AllowPrivateHosts []string       // "host" or "host:port" that may be on a loopback or private address
	RootCAs           *x509.CertPool // for TLS; nil means the system's
	Timeout           time.Duration  // for everything from name resolution to the last byte; 0 means 10 seconds
	MaxBytes          int64          // of a body; 0 means 2 MiB
	Redirects         int            // how many to follow, at most 2; each is checked like the first address
}

// Fetcher sends requests within the limits of its Config. It is safe for concurrent use.
type Fetcher struct {
	client   *http.Client
	http     hosts
	private  hosts
	timeout  time.Duration
	maxBytes int64
}

// New returns a Fetcher, or an error if cfg is out of range.
func New(cfg Config) (*Fetcher, error) {
	if cfg.Timeout < 0 || cfg.MaxBytes < 0 || cfg.Redirects < 0 || cfg.Redirects > maxRedirects {
		return nil, fmt.Errorf("%w: timeout, size or number of redirects (0 to %d) is out of range", errConfig, maxRedirects)
	}
	f := &Fetcher{timeout: cfg.Timeout, maxBytes: cfg.MaxBytes}
	if f.timeout == 0 {
		f.timeout = defaultTimeout
	}
	if f.maxBytes == 0 {
		f.maxBytes = defaultMaxBytes
	}
	var err error
	if f.http, err = newHosts(cfg.AllowHTTPHosts); err != nil {
		return nil, err
	}
	if f.private, err = newHosts(cfg.AllowPrivateHosts); err != nil {
		return nil, err
	}
	f.client = &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            newDialer(f.private).dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // a compressed body could expand beyond the size limit (decompression bomb)
			DisableKeepAlives:      true, // documents are cached, so idle connections would rarely be reused
			MaxResponseHeaderBytes: 32 << 10,
		},
		CheckRedirect: f.redirects(cfg.Redirects),
	}
	return f, nil
}

// redirects returns the check for each redirect. via holds the requests so far.
func (f *Fetcher) redirects(limit int) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		if len(via) > limit {
			return fmt.Errorf("%w: too many redirects (%d allowed)", ErrForbidden, limit)
		}
		if via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https" {
			return fmt.Errorf("%w: redirect from https to %s", ErrForbidden, next.URL.Scheme)
		}
		next.Header.Del("Referer") // the target must not learn the previous address
		return f.check(next.URL)
	}
}

// Get fetches the document at address. accept is the requested media type; the caller must check [Response.MediaType]
// against it, since only the caller knows what it can read.
func (f *Fetcher) Get(ctx context.Context, address, accept string) (Response, error) {
	u, err := f.parse(address)
	if err != nil {
		return Response{}, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, f.timeout, ErrTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return Response{}, fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "regain")
	answer, err := f.client.Do(request)
	if err != nil {
		return Response{}, explain(ctx, limited, err)
	}
	defer answer.Body.Close() //nolint:errcheck // the body has been read
	response, err := f.read(answer)
	if err != nil {
		return Response{}, explain(ctx, limited, err)
	}
	return response, nil
}

// PostForm posts a form. Any 2xx status is an acknowledgement; the response's body is not read. Redirects are not
// followed: they would send the form on to another address.
func (f *Fetcher) PostForm(ctx context.Context, address string, form url.Values) error {
	u, err := f.parse(address)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, f.timeout, ErrTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", "regain")
	answer, err := f.client.Transport.RoundTrip(request)
	if err != nil {
		return explain(ctx, limited, err)
	}
	defer answer.Body.Close() //nolint:errcheck // the body is not read
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%w: %d", ErrStatus, answer.StatusCode)
	}
	return nil
}

// explain maps an error to one of this package's. The caller's own cancellation has precedence: it says nothing about
// the server.
func explain(caller, limited context.Context, err error) error {
	for _, known := range []error{ErrForbidden, ErrTooLarge, ErrStatus, ErrEncoded} {
		if errors.Is(err, known) {
			return fmt.Errorf("fetch: %w", err)
		}
	}
	if caller.Err() != nil {
		return fmt.Errorf("fetch: %w", caller.Err())
	}
	if errors.Is(context.Cause(limited), ErrTimeout) {
		return fmt.Errorf("fetch: %w", ErrTimeout)
	}
	return fmt.Errorf("fetch: %w: %w", ErrNetwork, err)
}
