package web_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"regain/provider/facetest"
)

// The URL that a client registered is in each way out byte for byte, whatever html/template thinks of its characters.
func TestLeaveKeepsTheURL(t *testing.T) {
	for _, target := range []string{
		"https://c.example/cb?a=1;b=2&z=3&a=4", "https://c.example/cb?a='(b)*c!$,:@", "https://c.example/a%2Fb?q=%7e&x=%zz", "https://c.example/cb?[x]={y}|^`", `https://c.example/cb?"><script>`,
	} {
		e := facetest.New(t, nil)
		e.Router.POST("/leave", func(c *gin.Context) { e.Web.Leave(c, target) })
		e.Router.GET("/leave", func(c *gin.Context) { e.Web.LeaveByPost(c, target, url.Values{}) })
		r := httptest.NewRequest(http.MethodPost, "/leave", nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for page, wants := range map[string][]string{
			e.Do(r).Body.String():              {`content="0;url=` + html.EscapeString(target) + `"`, `href="` + html.EscapeString(target) + `"`},
			e.Get("/leave", nil).Body.String(): {`action="` + html.EscapeString(target) + `"`},
		} {
			for _, want := range wants {
				if !strings.Contains(page, want) {
					t.Errorf("%s: no %s in %s", target, want, page)
				}
			}
		}
	}
}
