package issuance

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

const (
	maxBody = 1 << 20 // bytes of any answer

	typeJSON = "application/json"
	typeJWT  = "application/jwt"
	typeForm = "application/x-www-form-urlencoded"
)

// RefusedError is a refusal by the issuer: an HTTP status and, where the body has them, the OAuth
// error members (RFC 6749 §5.2).
type RefusedError struct {
	Status      int
	Code        string // error
	Description string // error_description
}

func (e *RefusedError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the issuer answered with status %d", e.Status)
	}
	return fmt.Sprintf("the issuer answered with status %d: %s: %s", e.Status, e.Code, e.Description)
}

// answer is what came back.
type answer struct {
	status    int
	header    http.Header
	mediaType string
	body      []byte
}

func (c *Client) get(ctx context.Context, endpoint, accept string) (answer, error) {
	got, err := c.send(ctx, http.MethodGet, endpoint, http.Header{"Accept": {accept}}, "")
	if err != nil {
		return got, err
	}
	return got, got.expect(http.StatusOK)
}

// send makes one request and judges nothing.
func (c *Client) send(ctx context.Context, method, endpoint string, header http.Header, body string) (answer, error) {
	if err := address.CheckEndpoint(endpoint); err != nil {
		return answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, method, endpoint, strings.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("making a request: %w", err)
	}
	r.Header = header
	resp, err := c.http.Do(r)
	if err != nil {
		return answer{}, fmt.Errorf("calling %s: %w", r.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return answer{}, fmt.Errorf("reading what %s answered: %w", r.URL.Host, err)
	}
	if len(raw) > maxBody {
		return answer{}, fmt.Errorf("reading what %s answered: longer than %d bytes", r.URL.Host, maxBody)
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return answer{status: resp.StatusCode, header: resp.Header, mediaType: mediaType, body: raw}, nil
}

// expect turns every other status into a RefusedError.
func (a answer) expect(statuses ...int) error {
	if slices.Contains(statuses, a.status) {
		return nil
	}
	return &RefusedError{Status: a.status, Code: clip(a.code()), Description: clip(a.member("error_description"))}
}

func (a answer) code() string { return a.member("error") }

// member is a text in the body; a body that is no JSON object has none.
func (a answer) member(name string) string {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(a.body, &members)
	var text string
	_ = json.Unmarshal(members[name], &text)
	return text
}

// decode reads a JSON object, which may have members that we do not know but none that stands twice.
func (a answer) decode(into any) error {
	if a.mediaType != typeJSON {
		return errors.New("the answer is not application/json")
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("the answer is not the JSON expected: %w", err)
	}
	return nil
}

// clip keeps a stranger's text short.
func clip(s string) string {
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "")
	}
	return s
}
