package problem_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"regain/provider/problem"
)

// TestCodes holds each error to its registered code and status: clients branch on them.
func TestCodes(t *testing.T) {
	cause := errors.New("the cause")
	for _, row := range []struct {
		made   *problem.Error
		status int
		code   string
	}{
		{problem.InvalidRequest("Say what to do."), http.StatusBadRequest, "invalid_request"},
		{problem.InvalidGrant("Say what to do."), http.StatusBadRequest, "invalid_grant"},
		{problem.AccessDenied("Say what to do."), http.StatusForbidden, "access_denied"},
		{problem.LoginRequired("Say what to do."), http.StatusBadRequest, "login_required"},
		{problem.Unavailable(cause), http.StatusServiceUnavailable, "temporarily_unavailable"},
		{problem.ServerError(cause), http.StatusInternalServerError, "server_error"},
		{problem.InvalidClient(cause), http.StatusUnauthorized, "invalid_client"}, // RFC 6749 §5.2: 401
		{problem.New(http.StatusTeapot, "a_code", "Say what to do."), http.StatusTeapot, "a_code"},
	} {
		if row.made.Status != row.status || row.made.Code != row.code || row.made.Description == "" {
			t.Errorf("got %+v, want %d %s", row.made, row.status, row.code)
		}
	}
}

// TestTheCauseIsForTheLog holds that the cause is found by the log, and that what a client is told does not depend on it:
// otherwise an unknown client and a wrong secret could be told apart.
func TestTheCauseIsForTheLog(t *testing.T) {
	cause := errors.New("no such client in the registry")
	for name, make := range map[string]func(error) *problem.Error{
		"unavailable": problem.Unavailable, "server error": problem.ServerError, "invalid client": problem.InvalidClient,
		"with cause": func(err error) *problem.Error { return problem.InvalidGrant("Start again.").WithCause(err) },
	} {
		one, other := make(cause), make(errors.New("another"))
		if !errors.Is(one, cause) || !strings.Contains(one.Error(), cause.Error()) || !strings.HasPrefix(one.Error(), one.Code+": "+one.Description) {
			t.Errorf("%s: the log reads %v", name, one)
		}
		if one.Code != other.Code || one.Description != other.Description || one.Status != other.Status || strings.Contains(one.Description, cause.Error()) {
			t.Errorf("%s: the cause shows: %q and %q", name, one.Description, other.Description)
		}
	}
	if bare := problem.InvalidGrant("Start again."); bare.Error() != "invalid_grant: Start again." || errors.Unwrap(bare) != nil {
		t.Errorf("without a cause: %v", bare)
	}
}

// TestCopies holds that an error that several requests share is not changed for all of them.
func TestCopies(t *testing.T) {
	shared := problem.InvalidGrant("Start again.")
	caused, moved := shared.WithCause(errors.New("x")), shared.WithStatus(http.StatusUnauthorized)
	if shared.Unwrap() != nil || shared.Status != http.StatusBadRequest {
		t.Errorf("the shared error is now %+v", shared)
	}
	if caused.Unwrap() == nil || caused.Status != http.StatusBadRequest || caused.Code != "invalid_grant" {
		t.Errorf("with a cause: %+v", caused)
	}
	if moved.Status != http.StatusUnauthorized || moved.Code != "invalid_grant" || moved.Description != "Start again." {
		t.Errorf("with a status: %+v", moved)
	}
}

// TestPrintable holds RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E. Anything else could end the header or the JSON text.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		"As it is: ~!#[]^":        "As it is: ~!#[]^",
		`say "no" \ twice`:        "say 'no' ' twice",
		"a\r\nSet-Cookie: x=1":    "aSet-Cookie: x=1",
		"a\x00b\x1fc\x7fd\x80e":   "abcde",
		"Grüße\u2028 aus 東京":      "Gre aus ",
		" leading and trailing  ": " leading and trailing  ",
	} {
		if got := problem.Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzPrintable holds that nothing but the characters of RFC 6749 §5.2 is left, and that what is allowed stays.
func FuzzPrintable(f *testing.F) {
	f.Add("Start again.")
	f.Add("a\"b\\c\r\n\x00é")
	allowed := func(r rune) bool { return r >= 0x20 && r <= 0x7e && r != '"' && r != '\\' }
	f.Fuzz(func(t *testing.T, text string) {
		got := problem.Printable(text)
		if strings.ContainsFunc(got, func(r rune) bool { return !allowed(r) }) {
			t.Errorf("%q became %q", text, got)
		}
		if !strings.ContainsFunc(text, func(r rune) bool { return !allowed(r) }) && got != text {
			t.Errorf("%q became %q", text, got)
		}
		if again := problem.Printable(got); again != got {
			t.Errorf("%q became %q, and then %q", text, got, again)
		}
	})
}
