package wallet

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/address"
)

const (
	maxBody = 1 << 20 // bytes of any answer
	maxURL  = address.Longest
)

// ErrAddress reports an address that the wallet does not speak to.
var ErrAddress = address.ErrNotAllowed

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
		DialContext: func(ctx context.Context, network, at string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(at)
			if err == nil && address.IsLocalhost(host) {
				at = net.JoinHostPort("127.0.0.1", port)
			}
			return dialer.DialContext(ctx, network, at)
		},
		TLSHandshakeTimeout: timeout,
		MaxIdleConns:        16,
		IdleConnTimeout:     time.Minute,
	}
	return &http.Client{Transport: transport, Timeout: timeout}
}

func checkAddress(raw string) (*url.URL, error) { return address.Check(raw) }

func checkEndpoint(raw string) error { return address.CheckEndpoint(raw) }

func (w *Wallet) get(ctx context.Context, endpoint, accept string) (reply, error) {
	if err := checkEndpoint(endpoint); err != nil {
		return reply{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return reply{}, fmt.Errorf("making a request: %w", err)
	}
	r.Header.Set("Accept", accept)
	return w.do(r)
}

func (w *Wallet) postForm(ctx context.Context, endpoint, accept, form string) (reply, error) {
	return w.post(ctx, endpoint, http.Header{
		"Accept":       {accept},
		"Content-Type": {"application/x-www-form-urlencoded"},
	}, form)
}

func (w *Wallet) post(ctx context.Context, endpoint string, header http.Header, body string) (reply, error) {
	if err := checkEndpoint(endpoint); err != nil {
		return reply{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(body))
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
