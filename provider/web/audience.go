package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"regain/provider/problem"
)

// Programs are the addresses that programs call and no person sees: patterns such as "/recover/*/digital-credentials", in
// which a star is one segment. What is below such an address is one too, whether or not it exists.
type Programs []string

// call reports whether a path is a program's.
func (p Programs) call(path string) bool {
	for _, pattern := range p {
		if covers(strings.Split(pattern, "/"), strings.Split(path, "/")) {
			return true
		}
	}
	return false
}

func covers(pattern, segments []string) bool {
	if len(segments) < len(pattern) {
		return false
	}
	for i, name := range pattern {
		if name != segments[i] && name != "*" {
			return false
		}
	}
	return true
}

// Fail renders an error for whoever calls the address: JSON for programs, a page for people.
func (w *Web) Fail(c *gin.Context, err error) {
	if w.cfg.Programs.call(c.Request.URL.Path) {
		FailJSON(c, problemOf(err))
		return
	}
	w.FailPage(c, err)
}

// problemOf is what a program is told of an error that has a page: the page's status, and nothing of its cause.
func problemOf(err error) error {
	var protocol *problem.Error
	status := failureOf(err, true).status
	switch {
	case errors.As(err, &protocol):
		return err
	case status == http.StatusServiceUnavailable:
		return problem.Unavailable(err)
	case status >= http.StatusInternalServerError:
		return problem.ServerError(err)
	}
	description := "This is not possible now."
	switch {
	case errors.Is(err, ErrNoPage):
		description = "There is no such endpoint: see the metadata."
	case errors.Is(err, ErrMethod):
		description = "The endpoint does not have this method: see the header Allow."
	}
	return problem.New(status, "invalid_request", description).WithCause(err)
}

// allowHead completes the header Allow of a 405: what has a GET has a HEAD (RFC 9110 §9.1).
func allowHead(c *gin.Context) {
	h := c.Writer.Header()
	if methods := strings.Split(h.Get("Allow"), ", "); methods[0] == http.MethodGet {
		h.Set("Allow", strings.Join(append([]string{http.MethodGet, http.MethodHead}, methods[1:]...), ", "))
	}
}
