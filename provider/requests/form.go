package requests

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"regain/provider/contract"
	"regain/provider/problem"
)

// Limits on requests, checked before anything is parsed further.
const (
	maxFormBytes  = 64 << 10
	maxParameters = 64
	// MaxState is the longest state, in octets.
	MaxState = 4 << 10
)

// ReadForm reads the parameters of a request: the body of a POST, the query of a GET. Parameters without a value are
// as if not sent, and a parameter that occurs twice is refused (RFC 6749 §3.1). A query in a POST is refused: URLs with
// credentials or codes end up in logs and Referer headers. What reads r after it, such as net/http, sees the same parameters.
func ReadForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	var raw string
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if len(r.URL.RawQuery) > maxFormBytes {
			return nil, problem.InvalidRequest("The request is too large.")
		}
		raw = r.URL.RawQuery
	case http.MethodPost:
		media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || media != "application/x-www-form-urlencoded" {
			return nil, problem.InvalidRequest("The body must be application/x-www-form-urlencoded.")
		}
		if r.URL.RawQuery != "" {
			return nil, problem.InvalidRequest("Send the parameters in the body, not in the URL.")
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFormBytes))
		if err != nil {
			return nil, problem.InvalidRequest("The body cannot be parsed, or is too large.").WithCause(err)
		}
		raw = string(body)
	default:
		return nil, problem.New(http.StatusMethodNotAllowed, "invalid_request", "This method is not allowed here.")
	}
	// A bare semicolon is a character like others (URL Standard §5.1), also in a redirect_uri that is not encoded;
	// url.ParseQuery would drop the parameter.
	form, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
	if err != nil {
		return nil, problem.InvalidRequest("The parameters cannot be parsed.").WithCause(err)
	}
	if refusal := settleForm(form); refusal != nil {
		return nil, refusal
	}
	r.Form, r.PostForm = form, url.Values{}
	if r.Method == http.MethodPost {
		r.PostForm = form
	}
	return form, nil
}

// ReadPushed reads a pushed request: a form, or JSON as in Okta's guide to okta-idv. Whoever authenticates the client ensures
// that only clients with that contract send JSON: see IsJSON.
func ReadPushed(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if !IsJSON(r) || r.Method != http.MethodPost || r.URL.RawQuery != "" {
		return ReadForm(w, r)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFormBytes))
	if err != nil {
		return nil, problem.InvalidRequest("The body cannot be read, or is too large.").WithCause(err)
	}
	form, err := contract.OktaForm(body)
	if err != nil {
		return nil, problem.InvalidRequest("The body is not a JSON object.").WithCause(err)
	}
	if refusal := settleForm(form); refusal != nil {
		return nil, refusal
	}
	return form, nil
}

// IsJSON reports whether the body of a request is JSON.
func IsJSON(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/json"
}

// settleForm removes the parameters without a value, after it refused those that occur twice: another reader might
// take the second. Every form passes here, also that of a request object, so that "has" means "has a value" below.
func settleForm(form url.Values) *problem.Error {
	if len(form) > maxParameters {
		return problem.InvalidRequest("The request has too many parameters.")
	}
	for name, values := range form {
		if len(values) > 1 {
			return problem.InvalidRequest(problem.Printable(fmt.Sprintf("The parameter %.40s occurs more than once.", name)))
		}
		if !utf8.ValidString(values[0]) {
			return problem.InvalidRequest(problem.Printable(fmt.Sprintf("The parameter %.40s is not UTF-8.", name)))
		}
		if values[0] == "" {
			delete(form, name)
		}
	}
	return nil
}
