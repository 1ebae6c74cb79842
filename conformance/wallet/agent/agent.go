// Package agent is how wallets call other parties: https only (http where the machine calls itself), no cookies, no
// redirects, and no more of an answer than they can take.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/address"
)

// MaxBody is how many bytes of an answer are read.
const MaxBody = 1 << 20

// The media types that wallets send and take.
const (
	JSON = "application/json"
	Form = "application/x-www-form-urlencoded"
)

// ResponseError is a refusal by the other party: an HTTP status and, where the body has them, the OAuth error members
// (RFC 6749 §5.2).
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

// Agent calls other parties.
type Agent struct{ client *http.Client }

// New returns an agent that uses the client, but for its cookies and its way with redirects: a redirect would carry a
// request or an answer to a party that was not checked (OpenID4VP 1.0 §14.8).
func New(client *http.Client) Agent {
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return Agent{client: &own}
}

// Answer is an answer of any status.
type Answer struct {
	Status    int
	Header    http.Header
	MediaType string // without parameters, empty when the other side does not say
	Body      []byte
}

// Get fetches an address. Any status but 200 is a *ResponseError.
func (a Agent) Get(ctx context.Context, from string, header http.Header) (Answer, error) {
	return a.expected(a.Send(ctx, http.MethodGet, from, header, ""))
}

// Post sends a body of a media type, and takes the same answers as Get.
func (a Agent) Post(ctx context.Context, to, mediaType, body string) (Answer, error) {
	return a.expected(a.Send(ctx, http.MethodPost, to, http.Header{"Accept": {JSON}, "Content-Type": {mediaType}}, body))
}

func (Agent) expected(answer Answer, err error) (Answer, error) {
	if err != nil {
		return Answer{}, err
	}
	return answer, answer.Expect(http.StatusOK)
}

// Send makes one request and judges nothing.
func (a Agent) Send(ctx context.Context, method, to string, header http.Header, body string) (Answer, error) {
	if err := address.CheckEndpoint(to); err != nil {
		return Answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("making a request: %w", err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	resp, err := a.client.Do(r)
	if err != nil {
		return Answer{}, fmt.Errorf("calling %s: %w", r.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if err != nil {
		return Answer{}, fmt.Errorf("reading what %s answered: %w", r.URL.Host, err)
	}
	if len(raw) > MaxBody {
		return Answer{}, fmt.Errorf("reading what %s answered: longer than %d bytes", r.URL.Host, MaxBody)
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return Answer{Status: resp.StatusCode, Header: resp.Header, MediaType: mediaType, Body: raw}, nil
}

// Expect turns every other status into a *ResponseError.
func (a Answer) Expect(statuses ...int) error {
	if slices.Contains(statuses, a.Status) {
		return nil
	}
	return &ResponseError{Status: a.Status, Code: Clip(a.Member("error")), Description: Clip(a.Member("error_description"))}
}

// Member is a text in the body; a body that is no JSON object has none.
func (a Answer) Member(name string) string {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(a.Body, &members)
	var text string
	_ = json.Unmarshal(members[name], &text)
	return text
}

// Decode reads a JSON object, which may have members that are not known here but none that stands twice.
func (a Answer) Decode(into any) error {
	if a.MediaType != JSON {
		return errors.New("the answer is not application/json")
	}
	if err := json.Unmarshal(a.Body, into); err != nil { // the error would quote what was sent
		return errors.New("the answer is not the JSON expected")
	}
	return nil
}

// Clip keeps a stranger's text short.
func Clip(s string) string {
	const longest = 300
	if len(s) > longest {
		return strings.ToValidUTF8(s[:longest], "")
	}
	return s
}
