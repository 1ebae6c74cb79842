package binding_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/facetest"
	"regain/provider/web"
	"regain/recovery"
)

// steps mounts a step that can be looked at and one that can be posted, and counts how often they are taken.
func steps(e *facetest.Env) *int {
	taken := new(int)
	step := func(c *gin.Context, _ recovery.Transaction) error {
		*taken++
		c.Status(http.StatusNoContent)
		return nil
	}
	e.Txn.GET("/step", e.Binding.Step(step))
	e.Txn.POST("/step", e.Binding.Post(step))
	return taken
}

// Only the browser that started takes a step, and every other one is told the same.
func TestStepIsForTheBrowserThatStarted(t *testing.T) {
	e := facetest.New(t, nil)
	taken := steps(e)
	own, other := e.Start(t), e.Start(t)
	if got := e.Get(own.Path("/step"), own.Cookie); got.Code != http.StatusNoContent || *taken != 1 {
		t.Fatalf("%d, taken %d times", got.Code, *taken)
	}
	renamed := *other.Cookie
	renamed.Name = own.Cookie.Name
	wrongCase := *own.Cookie
	wrongCase.Value = strings.ToUpper(wrongCase.Value)
	for name, cookie := range map[string]*http.Cookie{
		"no cookie": nil, "another recovery's": other.Cookie, "another's secret": &renamed, "another case": &wrongCase, "none in it": {Name: own.Cookie.Name},
	} {
		if got := e.Get(own.Path("/step"), cookie); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "belongs to another browser") {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
	if got := e.Get("/recover/none/step", own.Cookie); got.Code != http.StatusForbidden {
		t.Errorf("no such transaction: %d", got.Code)
	}
	// Whether there is a transaction does not show to somebody who makes up a cookie for it.
	pages := map[string]bool{}
	for path, name := range map[string]string{own.Path("/step"): own.Cookie.Name, "/recover/none/step": web.CookiePrefix + "none"} {
		got := e.Get(path, &http.Cookie{Name: name, Value: "made-up"})
		body, _, _ := strings.Cut(got.Body.String(), "Reference")
		if pages[body] = true; got.Code != http.StatusForbidden || !strings.Contains(body, "not here any more") {
			t.Errorf("%s: %d %s", path, got.Code, body)
		}
	}
	if len(pages) != 1 {
		t.Errorf("pages that differ: %v", pages)
	}
	if *taken != 1 {
		t.Errorf("taken %d times", *taken)
	}
}

// Each row breaks one thing of a form that is taken.
func TestFormsThatAreRefused(t *testing.T) {
	e := facetest.New(t, nil)
	taken := steps(e)
	own, other := e.Start(t), e.Start(t)
	if got := e.Post(own.Path("/step"), own.Form(nil), own.Cookie); got.Code != http.StatusNoContent {
		t.Fatalf("%d: %s", got.Code, got.Body)
	}
	for name, row := range map[string]struct {
		form    url.Values
		site    string
		origin  string
		cookie  *http.Cookie
		contain string
	}{
		"another site":             {own.Form(nil), "cross-site", "", own.Cookie, "out of date"},
		"a sibling domain":         {own.Form(nil), "same-site", "", own.Cookie, "out of date"},
		"another origin":           {own.Form(nil), "", "https://evil.example", own.Cookie, "out of date"},
		"no token":                 {url.Values{}, "same-origin", "", own.Cookie, "out of date"},
		"another recovery's":       {other.Form(nil), "same-origin", "", own.Cookie, "out of date"},
		"the token of no secret":   {url.Values{"csrf": {web.FormToken("")}}, "same-origin", "", own.Cookie, "out of date"},
		"too large":                {own.Form(url.Values{"x": {strings.Repeat("x", web.MaxForm)}}), "same-origin", "", own.Cookie, "out of date"},
		"no cookie":                {own.Form(nil), "same-origin", "", nil, "needs a cookie"},
		"no cookie, older browser": {own.Form(nil), "", facetest.Issuer, nil, "needs a cookie"},
		"a form for no secret":     {url.Values{"csrf": {web.FormToken("")}}, "same-origin", "", nil, "belongs to another browser"},
		"in the query, not posted": {url.Values{}, "same-origin", "", own.Cookie, "out of date"},
	} {
		address := own.Path("/step")
		if name == "in the query, not posted" {
			address += "?" + own.Form(nil).Encode()
		}
		r := facetest.FormRequest(address, row.form)
		r.Header.Set("Sec-Fetch-Site", row.site)
		r.Header.Set("Origin", row.origin)
		if row.cookie != nil {
			r.AddCookie(row.cookie)
		}
		got := e.Do(r)
		if got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), row.contain) {
			t.Errorf("%s: %d, want it to say %q: %s", name, got.Code, row.contain, got.Body)
		}
		if back := strings.Contains(got.Body.String(), `id="back"`); back != (row.cookie != nil) {
			t.Errorf("%s: the way back is offered: %t", name, back)
		}
	}
	if *taken != 1 {
		t.Errorf("taken %d times", *taken)
	}
}

// A browser that says nothing of where a form comes from, and a program, have the token only.
func TestFormsWithoutFetchMetadata(t *testing.T) {
	e := facetest.New(t, nil)
	taken := steps(e)
	own := e.Start(t)
	r := facetest.FormRequest(own.Path("/step"), own.Form(nil))
	r.AddCookie(own.Cookie)
	if got := e.Do(r); got.Code != http.StatusNoContent || *taken != 1 {
		t.Errorf("%d", got.Code)
	}
}

func TestSetCookie(t *testing.T) {
	e := facetest.New(t, nil)
	own := e.Start(t)
	e.Router.GET("/set", func(c *gin.Context) { binding.SetCookie(c, own.Transaction, "secret") })
	c := e.Get("/set", nil).Result().Cookies()[0]
	if c.Name != "__Host-regain-"+string(own.ID) || c.MaxAge != 30*60 || !c.HttpOnly || !c.Secure {
		t.Errorf("%+v", c)
	}
}

// The page says where things stand, so it is the answer to a step that another one was faster than, and to no other error.
func TestRedirectToPage(t *testing.T) {
	for _, row := range []struct {
		err    error
		status int
	}{
		{nil, http.StatusSeeOther}, {recovery.ErrConflict, http.StatusSeeOther}, {recovery.ErrIllegalStep, http.StatusConflict}, {errors.New("disk"), http.StatusInternalServerError},
	} {
		e := facetest.New(t, nil)
		e.Router.GET("/step", e.Web.Page(func(c *gin.Context) error { return binding.RedirectToPage(c, "T1", row.err) }))
		got := e.Get("/step", nil)
		if got.Code != row.status || row.status == http.StatusSeeOther && got.Header().Get("Location") != "/recover/T1" {
			t.Errorf("%v: %d to %s", row.err, got.Code, got.Header().Get("Location"))
		}
	}
}

func TestExpiredOnOpening(t *testing.T) {
	e := facetest.New(t, nil)
	steps(e)
	own := e.Start(t)
	e.Turn(15 * time.Minute)
	if got := e.Get(own.Path("/step"), own.Cookie); got.Code != http.StatusNoContent || own.Reload(t).State != recovery.StateExpired {
		t.Errorf("%d, %s", got.Code, own.State)
	}
	if !strings.Contains(e.Log.String(), `"state":"expired"`) {
		t.Errorf("the record does not say so: %s", e.Log)
	}
}
