package wallet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
)

const (
	maxBody = 1 << 20 // bytes of any answer
	maxURL  = 16 << 10
)

// ErrAddress reports an address that the wallet does not speak to.
var ErrAddress = errors.New("address not allowed")

// ResponseError is a refusal by the other party: an HTTP status and, where the body has them, the
// OAuth error members (RFC 6749 §5.2).
type ResponseError struct {
	Status      int
	Code        string // error
	Description string // error_description
}

func (e *ResponseError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the other side answered with status %d", e.Status)
	}
	return fmt.Sprintf("the other side answered with status %d: %s: %s", e.Status, e.Code, e.Description)
}

// reply is an answer with status 200.
type reply struct {
	body      []byte
	mediaType string
}

// NewHTTPClient returns a client that dials names under localhost at 127.0.0.1 whatever the
// resolver says (RFC 6761 §6.3) and gives up after the timeout.
func NewHTTPClient(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: timeout}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err == nil && isLocalhost(host) {
				address = net.JoinHostPort("127.0.0.1", port)
			}
			return dialer.DialContext(ctx, network, address)
		},
		TLSHandshakeTimeout: timeout,
		MaxIdleConns:        16,
		IdleConnTimeout:     time.Minute,
	}
	return &http.Client{Transport: transport, Timeout: timeout}
}

func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// checkAddress lets https pass, and plain http to the machine itself: nothing travels there.
func checkAddress(raw string) (*url.URL, error) {
	if raw == "" || len(raw) > maxURL {
		return nil, fmt.Errorf("%w: it is empty or too long", ErrAddress)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, fmt.Errorf("%w: it is not an absolute URL", ErrAddress)
	}
	if u.User != nil {
		return nil, fmt.Errorf("%w: it carries a user name", ErrAddress)
	}
	ip := net.ParseIP(u.Hostname())
	local := isLocalhost(u.Hostname()) || (ip != nil && ip.IsLoopback())
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, fmt.Errorf("%w: it is not https", ErrAddress)
	}
	return u, nil
}

// checkEndpoint is checkAddress for what the wallet calls itself: a fragment would be lost.
func checkEndpoint(raw string) error {
	u, err := checkAddress(raw)
	if err == nil && (u.Fragment != "" || strings.Contains(raw, "#")) {
		return fmt.Errorf("%w: it has a fragment", ErrAddress)
	}
	return err
}

func (w *Wallet) get(ctx context.Context, address, accept string) (reply, error) {
	if err := checkEndpoint(address); err != nil {
		return reply{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return reply{}, fmt.Errorf("making a request: %w", err)
	}
	r.Header.Set("Accept", accept)
	return w.do(r)
}

func (w *Wallet) postForm(ctx context.Context, address, accept, form string) (reply, error) {
	return w.post(ctx, address, http.Header{
		"Accept":       {accept},
		"Content-Type": {"application/x-www-form-urlencoded"},
	}, form)
}

func (w *Wallet) post(ctx context.Context, address string, header http.Header, body string) (reply, error) {
	if err := checkEndpoint(address); err != nil {
		return reply{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return reply{}, fmt.Errorf("making a request: %w", err)
	}
	r.Header = header
	return w.do(r)
}

func (w *Wallet) do(r *http.Request) (reply, error) {
	answer, err := w.http.Do(r)
	if err != nil {
		return reply{}, fmt.Errorf("calling %s: %w", r.URL.Host, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err != nil {
		return reply{}, fmt.Errorf("reading what %s answered: %w", r.URL.Host, err)
	}
	if len(body) > maxBody {
		return reply{}, fmt.Errorf("reading what %s answered: longer than %d bytes", r.URL.Host, maxBody)
	}
	if answer.StatusCode != http.StatusOK {
		return reply{}, refusal(answer.StatusCode, body)
	}
	mediaType, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil {
		return reply{}, fmt.Errorf("reading what %s answered: its Content-Type is missing or malformed", r.URL.Host)
	}
	return reply{body: body, mediaType: mediaType}, nil
}

func refusal(status int, body []byte) error {
	var members struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(body, &members) // a body that is no JSON leaves the status to speak
	return &ResponseError{Status: status, Code: clip(members.Code), Description: clip(members.Description)}
}

// clip keeps a stranger's text short.
func clip(s string) string {
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "")
	}
	return s
}

// decode reads a JSON object of the other party, which may have members that we do not know but
// none that stands twice.
func (r reply) decode(into any) error {
	if r.mediaType != "application/json" {
		return fmt.Errorf("the answer is %s, not application/json", r.mediaType)
	}
	if err := json.Unmarshal(r.body, into); err != nil {
		return fmt.Errorf("the answer is not the JSON expected: %w", err)
	}
	return nil
}
