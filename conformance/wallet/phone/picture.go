package phone

import (
	"bytes"
	"embed"
	"net/http"
	"time"
)

//go:embed pages
var files embed.FS

// portrait serves the picture in a credential.
func portrait(v visit) {
	for _, c := range v.h.wallet.Credentials() {
		if portrait := c.Portrait(); c.ID == v.r.PathValue("credential") && portrait != nil {
			picture(v, portrait)
			return
		}
	}
	olderPortrait(v)
}

// olderPortrait serves the picture in a JWT VC.
func olderPortrait(v visit) {
	for _, c := range v.h.authenticator.Credentials() {
		if portrait := c.Portrait(); c.ID == v.r.PathValue("credential") && portrait != nil {
			picture(v, portrait)
			return
		}
	}
	http.NotFound(v.w, v.r)
}

// picture serves a JPEG as nothing but that, whatever an issuer put there.
func picture(v visit, jpeg []byte) {
	v.w.Header().Set("Content-Type", "image/jpeg")
	_, _ = v.w.Write(jpeg)
}

func style(w http.ResponseWriter, r *http.Request) {
	serveFile(w, r, "pages/style.css", "text/css; charset=utf-8")
}

func icon(w http.ResponseWriter, r *http.Request) {
	serveFile(w, r, "pages/icon.svg", "image/svg+xml")
}

func serveFile(w http.ResponseWriter, r *http.Request, name, kind string) {
	w.Header().Set("Cache-Control", "max-age=3600")
	raw, err := files.ReadFile(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(raw))
}
