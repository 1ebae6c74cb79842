package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"regain/provider/facetest"
	"regain/provider/web"
)

// What a person can do is a list where there is a choice, and a sentence where there is none: a list of one makes people look
// for the rest, and a screen reader announces it.
func TestOneThingToDoIsNoList(t *testing.T) {
	w := facetest.New(t, nil).Web
	for want, next := range map[string][]string{
		"": nil, "<p>Ask the help desk.</p>": {"Ask the help desk."},
		"<ul><li>Try again.</li><li>Ask the help desk.</li></ul>": {"Try again.", "Ask the help desk."},
	} {
		recorder := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(recorder)
		c.Request = httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		w.Render(c, http.StatusOK, "evaluated", &struct {
			web.Page
			Text, Button, Account, Base, CSRF string
			Next                              []string
		}{Page: web.Page{Title: "X"}, Next: next})
		if body := recorder.Body.String(); !strings.Contains(body, want) || strings.Contains(body, "<li>") != (len(next) > 1) {
			t.Errorf("%q: %s", next, body)
		}
	}
}
