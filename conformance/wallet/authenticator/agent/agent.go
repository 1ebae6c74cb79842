// Package agent is how the wallet calls other parties: https only (http where the machine calls
// itself), no cookies, no redirects, and no more of an answer than it can take.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet"
	"regain/conformance/wallet/address"
)

const maxBody = 1 << 20 // bytes of any answer

// Agent calls other parties.
type Agent struct{ client *http.Client }

// New returns an agent that uses the client, but for its cookies and its way with redirects: a
// redirect would carry a request or an answer to somebody whom nobody checked.
func New(client *http.Client) Agent {
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return Agent{client: &own}
}

// Answer is an answer with status 200.
type Answer struct {
	Body      []byte
	MediaType string // without parameters, empty when the other side does not say
}

// Get fetches an address. A refusal is a *wallet.ResponseError.
func (a Agent) Get(ctx context.Context, from string, header http.Header) (Answer, error) {
	return a.call(ctx, http.MethodGet, from, header, "")
}

// Body fetches an address and returns the answer's body alone.
func (a Agent) Body(ctx context.Context, from string) ([]byte, error) {
	answer, err := a.Get(ctx, from, nil)
	return answer.Body, err
}

// Post sends a body of a media type.
func (a Agent) Post(ctx context.Context, to, mediaType, body string) (Answer, error) {
	return a.call(ctx, http.MethodPost, to, http.Header{"Content-Type": {mediaType}}, body)
}

func (a Agent) call(ctx context.Context, method, to string, header http.Header, body string) (Answer, error) {
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
	answer, err := a.client.Do(r)
	if err != nil {
		return Answer{}, fmt.Errorf("calling %s: %w", r.URL.Host, err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err != nil {
		return Answer{}, fmt.Errorf("reading what %s answered: %w", r.URL.Host, err)
	}
	if len(raw) > maxBody {
		return Answer{}, fmt.Errorf("reading what %s answered: longer than %d bytes", r.URL.Host, maxBody)
	}
	if answer.StatusCode != http.StatusOK {
		return Answer{}, refusal(answer.StatusCode, raw)
	}
	kind := answer.Header.Get("Content-Type")
	if kind == "" {
		return Answer{Body: raw}, nil
	}
	mediaType, _, err := mime.ParseMediaType(kind)
	if err != nil {
		return Answer{}, fmt.Errorf("reading what %s answered: its Content-Type is malformed", r.URL.Host)
	}
	return Answer{Body: raw, MediaType: mediaType}, nil
}

func refusal(status int, body []byte) error {
	var members struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(body, &members) // a body that is no JSON leaves the status to speak
	return &wallet.ResponseError{Status: status, Code: Clip(members.Code), Description: Clip(members.Description)}
}

// Clip keeps a stranger's text short.
func Clip(s string) string {
	const longest = 300
	if len(s) > longest {
		return strings.ToValidUTF8(s[:longest], "")
	}
	return s
}

// Decode reads a JSON object, which may have members that nobody here knows but none that stands
// twice.
func (a Answer) Decode(into any) error {
	if err := json.Unmarshal(a.Body, into); err != nil { // the error would quote what was sent
		return errors.New("the answer is not the JSON expected")
	}
	return nil
}
