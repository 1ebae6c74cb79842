package idp

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"regain/conformance/idp/recovery"
)

//go:embed templates assets
var files embed.FS

// pages renders the pages.
type pages struct {
	organisation string
	members      *members
	parsed       map[string]*template.Template
}

func newPages(organisation string, accounts *members) (*pages, error) {
	set := &pages{organisation: organisation, members: accounts, parsed: map[string]*template.Template{}}
	for _, name := range []string{"sign-in", "other-ways", "pass", "recovered", "recovery-failed", "create-passkey", "passkey-created", "home", "problem"} {
		page, err := template.ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		set.parsed[name] = page
	}
	return set, nil
}

// view is what pages know.
type view struct {
	Page, Organisation   string
	Account, DisplayName string
	Pass                 recovery.Secret
	Expires              time.Time
	Once                 bool
	Code                 string // of a failed recovery: for data-error
	Problem              problem
}

// problem is what a page for something that went wrong says.
type problem struct {
	ID, Title, What, Next string
}

// problems maps errors to pages, most particular first. What is not in it is a fault of ours.
func problemOf(err error) (int, problem) {
	switch {
	case errors.Is(err, errAccountName):
		return http.StatusBadRequest, problem{"account-missing", "Which account?", "Enter the name of your account, such as ada@example.org.", "Go back and try again."}
	case errors.Is(err, errPass):
		return http.StatusForbidden, problem{
			"pass-failed", "The pass was not accepted", "It may be mistyped, used already, expired, or meant for another account.",
			"Check the account name and the pass. After several tries wait for 15 minutes, or recover your account again.",
		}
	case errors.Is(err, recovery.ErrUnreachable):
		return http.StatusServiceUnavailable, problem{
			"recovery-unavailable", "Account recovery is not available now", "The recovery service does not answer. Nothing about your account changed.",
			"Try again in a few minutes, or ask your help desk.",
		}
	case errors.Is(err, errNoSession):
		return http.StatusForbidden, problem{
			"no-session", "Sign in first", "This page is open to people who signed in a moment ago, and only for what they signed in for.", "Start again at the sign-in page.",
		}
	case errors.Is(err, errFull):
		return http.StatusServiceUnavailable, problem{"busy", "Very busy", "Too many people are signing in at once.", "Try again in a few minutes."}
	case errors.Is(err, errCrossOrigin):
		return http.StatusForbidden, problem{"cross-origin", "Not sent from here", "The form came from another site, so nothing was done.", "Start again at the sign-in page."}
	case errors.Is(err, errNotFound):
		return http.StatusNotFound, problem{"not-found", "No such page", "There is nothing at this address.", "Start again at the sign-in page."}
	}
	return http.StatusInternalServerError, problem{"fault", "Something went wrong", "This is our fault, and it has been recorded.", "Try again, or ask your help desk."}
}

var (
	errAccountName = errors.New("not a name of an account")
	errCrossOrigin = errors.New("form of another origin")
	errNotFound    = errors.New("no such page")
)

// show renders a page.
func (p *pages) show(w http.ResponseWriter, status int, v view) error {
	v.Organisation = p.organisation
	v.DisplayName = p.members.displayName(v.Account)
	var page bytes.Buffer
	if err := p.parsed[v.Page].ExecuteTemplate(&page, "layout", v); err != nil {
		return fmt.Errorf("render page %s: %w", v.Page, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
	return nil
}

// showError renders the page for an error and returns its status.
func (p *pages) showError(w http.ResponseWriter, err error) int {
	status, what := problemOf(err)
	v := view{Page: "problem", Problem: what}
	if failed := new(recoveryFailure); errors.As(err, &failed) {
		status, v = http.StatusForbidden, view{Page: "recovery-failed", Code: failed.code}
	}
	if err := p.show(w, status, v); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return http.StatusInternalServerError
	}
	return status
}

// showJSONError answers a script. What was wrong with a passkey is for the log.
func showJSONError(w http.ResponseWriter, err error) int {
	status, code := http.StatusInternalServerError, "server_error"
	switch {
	case errors.Is(err, errNoSession):
		status, code = http.StatusForbidden, "no_session"
	case errors.Is(err, errPasskey):
		status, code = http.StatusForbidden, "passkey_refused"
	case errors.Is(err, errJSON):
		status, code = http.StatusBadRequest, "invalid_request"
	case errors.Is(err, errFull):
		status, code = http.StatusServiceUnavailable, "busy"
	}
	if err := writeJSON(w, status, map[string]string{"error": code}); err != nil {
		http.Error(w, http.StatusText(status), status)
	}
	return status
}
