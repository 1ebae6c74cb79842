package idp

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
)

// view is everything that a page may show.
type view struct {
	Title, Organisation string
	Account             string
	Accounts            []Account
	Mistake, Advice     string
	Code                string // the OAuth error of a recovery that failed
	Pass                string
}

func pageNames() []string {
	return []string{"sign-in", "other-ways", "pass", "passkey", "created", "home", "failed", "problem"}
}

func parsePages() (map[string]*template.Template, error) {
	pages := make(map[string]*template.Template)
	for _, name := range pageNames() {
		t, err := template.ParseFS(files, "pages/layout.html", "pages/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("main IdP: page %s: %w", name, err)
		}
		pages[name] = t
	}
	return pages, nil
}

// mustSub is for a directory that is embedded: it panics at the start, or never.
func mustSub(directory string) fs.FS {
	sub, err := fs.Sub(files, directory)
	if err != nil {
		panic(err)
	}
	return sub
}

func (s *Server) render(w http.ResponseWriter, status int, page string, v view) {
	v.Organisation = s.cfg.Name
	var buf bytes.Buffer
	if err := s.pages[page].ExecuteTemplate(&buf, "layout", v); err != nil {
		s.cfg.Logger.Error("render page", "page", page, "cause", err.Error())
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = buf.WriteTo(w) // a client that went away
}
