package phone

import (
	"bytes"
	"html/template"
	"log/slog"
	"net/http"
)

// screen shows pages to the person.
type screen struct {
	pages   *template.Template
	baseURL string
	people  []Person
	logger  *slog.Logger
}

// render shows a page with what every page has.
func (s *screen) render(v visit, status int, name string, shown view) {
	shown.CSRF, shown.BaseURL = v.h.token, s.baseURL
	shown.Owner, shown.People, shown.Cards = v.h.owner, s.people, append(cards(v.h.wallet), olderCards(v.h.authenticator)...)
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, name, shown); err != nil {
		s.logger.ErrorContext(v.r.Context(), "rendering a page", "page", name, "error", err)
		http.Error(v.w, "This page could not be shown. Go back and try again.", http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(page.Bytes())
}

// fail shows what went wrong.
func (s *screen) fail(v visit, status int, p problem) {
	s.render(v, status, "problem.html", view{Title: p.Title, Problem: &p})
}

// failWith shows an error that kept a link from becoming a task.
func (s *screen) failWith(v visit, err error, other string) {
	s.log(v, err)
	s.fail(v, http.StatusBadRequest, explain(err, other))
}

// log records an error. The errors of the wallet name what was wrong and never what was in it.
func (s *screen) log(v visit, err error) {
	s.logger.WarnContext(v.r.Context(), "wallet step", "method", v.r.Method, "route", v.r.Pattern, "error", err)
}
