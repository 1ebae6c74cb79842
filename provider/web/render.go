package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
)

//go:embed pages/*.html pages/static
var pageFiles embed.FS

// pages are the parsed templates. Every page works without scripts; those only save the person a reload.
type pages struct {
	templates map[string]*template.Template
	files     http.Handler
	flattener flattener
}

func newPages() (*pages, error) {
	p := &pages{templates: make(map[string]*template.Template)}
	names, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	for _, name := range names {
		base := name[len("pages/") : len(name)-len(".html")]
		if base == "layout" {
			continue
		}
		t, err := template.ParseFS(pageFiles, "pages/layout.html", name)
		if err != nil {
			return nil, fmt.Errorf("parse page: %w", err)
		}
		p.templates[base] = t
	}
	static, err := fs.Sub(pageFiles, "pages/static")
	if err != nil {
		return nil, fmt.Errorf("static files: %w", err)
	}
	p.files = http.StripPrefix("/static", http.FileServerFS(static))
	return p, nil
}

// static serves the style sheet and the scripts, with a day in the cache.
func (w *Web) static(c *gin.Context) error {
	file, err := pageFiles.Open("pages" + c.Request.URL.Path)
	if err != nil {
		return ErrNoPage
	}
	info, err := file.Stat()
	if err != nil || info.IsDir() || file.Close() != nil {
		return ErrNoPage
	}
	c.Header("Cache-Control", "public, max-age=86400")
	c.Header("X-Content-Type-Options", "nosniff")
	w.pages.files.ServeHTTP(c.Writer, c.Request)
	return nil
}

// home is the address of Home.
const home = "/"

// Home says where a recovery starts, to those who have nowhere else to go from here. It is mounted at `/`.
func (w *Web) Home(c *gin.Context) error {
	SecureHeaders(c)
	w.Render(c, http.StatusOK, "home", &Page{Title: "Where a recovery starts"})
	return nil
}

// Page is what the layout of every page shows. The data of a page is a struct of its own that embeds it.
type Page struct {
	Title        string
	Organisation string // whose account it is about; "" for a client that is not known
	PolicyURI    string // the organisation's, as is TermsURI; "" for none
	TermsURI     string
	Correlation  string // set by Render
	Root         string // path of the issuer, before the addresses of our own; set by Render
}

func (p *Page) layout() *Page { return p }

// Data is the data of a page: a pointer to a struct that embeds Page.
type Data interface{ layout() *Page }

// Render executes the page of this name into a buffer first, so that a failure cannot leave half a page.
func (w *Web) Render(c *gin.Context, status int, name string, data Data) {
	data.layout().Correlation, data.layout().Root = CorrelationID(c), Local(c, "")
	var buf bytes.Buffer
	if err := w.pages.templates[name].ExecuteTemplate(&buf, "layout", w.pages.flattener.flat(data)); err != nil {
		NoteError(c, fmt.Errorf("render %s: %w", name, err))
		c.String(http.StatusInternalServerError, "Something went wrong on our side. Reference: %s\n", CorrelationID(c))
		return
	}
	c.Header("Content-Length", strconv.Itoa(buf.Len())) // or net/http sends it in chunks
	c.Data(status, "text/html; charset=utf-8", buf.Bytes())
}
