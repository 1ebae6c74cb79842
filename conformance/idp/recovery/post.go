package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxBody bounds what is read of an answer, in bytes.
const maxBody = 1 << 20

// Refusal is a refusal by Regain (RFC 6749 §5.2). Its description is for its own log.
type Refusal struct {
	Status int
	Code   string
}

func (e *Refusal) Error() string {
	return fmt.Sprintf("refused with status %d: %s", e.Status, e.Code)
}

// post sends a form with a fresh client assertion and decodes the JSON answer.
func (c *Client) post(ctx context.Context, endpoint string, form url.Values, into any) error {
	assertion, err := c.assertion()
	if err != nil {
		return err
	}
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%w: read answer: %w", ErrUnreachable, err)
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return refusal(resp.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: the answer is not the JSON that was expected", ErrUnreachable) // the cause may quote a token
	}
	return nil
}

func refusal(status int, body []byte) error {
	var problem struct {
		Code string `json:"error"`
	}
	if json.Unmarshal(body, &problem) != nil || status >= http.StatusInternalServerError {
		return fmt.Errorf("%w: status %d", ErrUnreachable, status)
	}
	return &Refusal{Status: status, Code: errorCode(problem.Code)}
}

// errorCode is an OAuth error code that is fit for a page and a log (RFC 6749 §4.1.2.1 allows more characters).
func errorCode(given string) string {
	strange := strings.ContainsFunc(given, func(c rune) bool { return c != '_' && (c < 'a' || c > 'z') })
	if given == "" || len(given) > 64 || strange {
		return "invalid_response"
	}
	return given
}

// bounded reads at most maxBody of any answer; more is an error, so that half a document is never taken for one.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxBody)
	return resp, nil
}
