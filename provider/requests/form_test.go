package requests_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"regain/provider/problem/problemtest"
	"regain/provider/requests"
)

// readForm reads a form as the endpoints do, from the query or from the body.
func readForm(t *testing.T, method, raw string) (url.Values, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, issuer+"/authorize", nil)
	if method == http.MethodPost {
		r = httptest.NewRequestWithContext(t.Context(), method, issuer+"/authorize", strings.NewReader(raw))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r.URL.RawQuery = raw
	}
	return requests.ReadForm(httptest.NewRecorder(), r)
}

// A parameter without a value is as if it had not been sent (RFC 6749 §3.1), whichever it is.
func TestEmptyParametersAreNotSent(t *testing.T) {
	names := slices.Sorted(maps.Keys(request()))
	names = append(names, "request", "request_uri", "registration", "prompt", "max_age", "claims", "client_secret", "client_assertion", "response_mode", "dpop_jkt", "unknown")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, name := range names {
			for _, spelling := range []string{name, name + "="} {
				form, err := readForm(t, method, spelling+"&other=1")
				if err != nil || form.Has(name) || form.Get("other") != "1" {
					t.Errorf("%s %s: %v, %v", method, spelling, form, err)
				}
			}
			for _, twice := range []string{name + "=&" + name + "=x", name + "=x&" + name + "=", name + "&" + name} {
				_, err := readForm(t, method, twice)
				problemtest.WantRefusal(t, err, "invalid_request", "The parameter "+name+" occurs more than once")
			}
		}
	}
}

// A semicolon is a character of a value like others, encoded or not.
func TestSemicolonsInForms(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for raw, want := range map[string]string{
			"redirect_uri=https://c.example/cb?a=1;b=2": "https://c.example/cb?a=1;b=2", "redirect_uri=https%3A%2F%2Fc.example%2Fcb%3Fa%3D1%3Bb%3D2&x=1": "https://c.example/cb?a=1;b=2",
			"x=1;redirect_uri=https://evil.example": "", "redirect_uri=a+b;%20c": "a b; c",
		} {
			form, err := readForm(t, method, raw)
			if err != nil || form.Get("redirect_uri") != want {
				t.Errorf("%s %s: %q, %v", method, raw, form.Get("redirect_uri"), err)
			}
		}
	}
}

// A form has an end, a type and one place, and its parameters are text.
func TestLimitsOfForms(t *testing.T) {
	many := func(n int) string {
		var parameters []string
		for i := range n {
			parameters = append(parameters, fmt.Sprintf("p%d=1", i))
		}
		return strings.Join(parameters, "&")
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if form, err := readForm(t, method, many(64)); err != nil || len(form) != 64 {
			t.Errorf("%s of 64: %v", method, err)
		}
		_, err := readForm(t, method, many(65))
		problemtest.WantRefusal(t, err, "invalid_request", "too many parameters")
		_, err = readForm(t, method, "a=%ff")
		problemtest.WantRefusal(t, err, "invalid_request", "The parameter a is not UTF-8")
		_, err = readForm(t, method, "a=%zz")
		problemtest.WantRefusal(t, err, "invalid_request", "cannot be parsed")
		if _, err := readForm(t, method, "a="+strings.Repeat("x", 64<<10-2)); err != nil {
			t.Errorf("%s at the limit: %v", method, err)
		}
		_, err = readForm(t, method, "a="+strings.Repeat("x", 64<<10-1))
		problemtest.WantRefusal(t, err, "invalid_request", "too large")
		_, err = readForm(t, method, "a="+strings.Repeat("x", 64<<10))
		problemtest.WantRefusal(t, err, "invalid_request", "too large")
	}
	read := func(method, media, query, body string) error {
		r := httptest.NewRequestWithContext(t.Context(), method, issuer+"/par"+query, strings.NewReader(body))
		r.Header.Set("Content-Type", media)
		_, err := requests.ReadPushed(httptest.NewRecorder(), r)
		return err
	}
	const form = "application/x-www-form-urlencoded"
	for why, err := range map[string]error{
		"must be application/x-www-form-urlencoded": read(http.MethodPost, "multipart/form-data; boundary=x", "", "a=1"),
		"Send the parameters in the body":           read(http.MethodPost, form, "?a=1", "b=2"),
		"This method is not allowed here":           read(http.MethodPut, form, "", "a=1"),
		"The body is not a JSON object":             read(http.MethodPost, "application/json", "", "[]"),
		"cannot be read, or is too large":           read(http.MethodPost, "application/json", "", `{"a":"`+strings.Repeat("x", 64<<10)+`"}`),
		"The parameter a is not UTF-8":              read(http.MethodPost, form, "", "a=%ff"),
		"too many parameters":                       read(http.MethodPost, "application/json", "", `{"`+strings.ReplaceAll(many(65), "=1&", `":"1","`)[:len(strings.ReplaceAll(many(65), "=1&", `":"1","`))-2]+`":"1"}`),
	} {
		problemtest.WantRefusal(t, err, "invalid_request", why)
	}
	for _, err := range []error{
		read(http.MethodPost, "application/json", "?a=1", "{}"), read(http.MethodPost, "application/json; charset", "", "{}"), read(http.MethodPost, form+"; charset", "", "a=1"),
	} {
		problemtest.WantRefusal(t, err, "invalid_request", "must be application/x-www-form-urlencoded")
	}
	problemtest.WantRefusal(t, read(http.MethodPut, "application/json", "", "{}"), "invalid_request", "This method is not allowed here")
	for _, err := range []error{read(http.MethodPost, form+"; charset=UTF-8", "", "a=1"), read(http.MethodPost, "application/json", "", `{"a":"1"}`), read(http.MethodHead, "", "?a=1", "")} {
		if err != nil {
			t.Error(err)
		}
	}
}

func FuzzReadForm(f *testing.F) {
	f.Add("POST", "client_id=a&client_id=b")
	f.Add("GET", "a=b&c=%zz")
	f.Add("GET", "a=&b&c=d;e=f")
	f.Add("POST", strings.Repeat("a=b&", 100))
	f.Fuzz(func(t *testing.T, method, text string) {
		if method != http.MethodGet && method != http.MethodPost {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), method, issuer+"/authorize", strings.NewReader(text))
		if method == http.MethodGet {
			r.URL.RawQuery = text
		} else {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		form, err := requests.ReadForm(httptest.NewRecorder(), r)
		if err != nil {
			return
		}
		for name, values := range form {
			if len(values) != 1 || values[0] == "" {
				t.Errorf("%q has the values %q", name, values)
			}
		}
	})
}

// Whatever reads the request after the form was read sees the same parameters, and none in the wrong place.
func TestTheRequestSeesTheSame(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, issuer+"/authorize?a=1;b&empty=", nil)
	form, err := requests.ReadForm(httptest.NewRecorder(), r)
	if err != nil || r.FormValue("a") != "1;b" || r.Form.Has("empty") || len(r.PostForm) != 0 || form.Encode() != r.Form.Encode() {
		t.Errorf("GET: %v, %v, %v", r.Form, r.PostForm, err)
	}
	r = httptest.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", strings.NewReader("a=1;b&empty="))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	form, err = requests.ReadForm(httptest.NewRecorder(), r)
	if err != nil || r.PostFormValue("a") != "1;b" || r.PostForm.Has("empty") || form.Encode() != r.Form.Encode() {
		t.Errorf("POST: %v, %v, %v", r.Form, r.PostForm, err)
	}
}
