package phone

import (
	"bytes"
	"embed"
	"net/http"
	"strings"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator/domain"
)

//go:embed pages
var files embed.FS

// view is what a page is given.
type view struct {
	Title   string
	CSRF    string
	BaseURL string
	Owner   *Person
	People  []Person
	Cards   []card
	Task    *taskView
	Problem *problem
}

// card is a credential as it is shown.
type card struct {
	ID, Name, Issuer, Holder, Expires string
	Portrait                          bool
}

// taskView is a task as it is shown.
type taskView struct {
	ID        string
	Offer     *wallet.Offer
	Request   *wallet.Request
	Outcome   outcome
	Back      string
	Redirect  string
	Shares    []shareView
	Missing   []string
	Scanned   bool
	FaceCheck bool // still to be taken
	Selfie    bool
	Ready     bool           // nothing stands between the person and Share
	Domain    *domain.Domain // of a verifier that says which one is its own
}

type shareView struct {
	Title     string
	Holder    string
	FaceCheck bool
	Claims    []claimView
}

type claimView struct{ Label, Value string }

func (s *Server) home(v visit) { s.render(v, http.StatusOK, "home.html", view{Title: "Your wallet"}) }

func (s *Server) showTask(v visit) {
	t := s.find(v)
	if t == nil {
		return
	}
	shown := view{Task: t.view(), Problem: t.problem}
	name := "offer.html"
	shown.Title = "Add a Verified ID"
	if t.request != nil {
		name, shown.Title = "request.html", "Share with "+t.request.Verifier
		v.w.Header().Set("Content-Security-Policy", sharePolicy)
	}
	s.render(v, http.StatusOK, name, shown)
}

func (t *task) view() *taskView {
	shown := &taskView{
		ID: t.id, Offer: t.offer, Request: t.request, Outcome: t.outcome, Back: t.back, Redirect: t.redirect, Selfie: len(t.selfie) > 0,
	}
	if t.request == nil {
		return shown
	}
	shown.Missing = t.request.Missing
	shown.Scanned = t.request.Flow == wallet.CrossDevice
	shown.FaceCheck = t.request.FaceCheckFor() != "" && !t.checked
	shown.Ready = len(shown.Missing) == 0 && !shown.FaceCheck
	if t.older != nil {
		shown.Shares, shown.Domain = t.older.shares(), &t.older.request.Domain
		return shown
	}
	for _, share := range t.request.Shares {
		shown.Shares = append(shown.Shares, newShareView(share))
	}
	return shown
}

func newShareView(share wallet.Share) shareView {
	shown := shareView{Title: share.Credential.Name, Holder: holder(share.Credential), FaceCheck: share.FaceCheck}
	if share.FaceCheck {
		shown.Title = "Face Check"
		return shown
	}
	for _, claim := range share.Claims {
		name := claim[strings.LastIndexByte(claim, '/')+1:] // of an mdoc the element, without its namespace
		c := claimView{Label: label(name)}
		if name != "portrait" {
			c.Value = share.Credential.Claim(claim)
		}
		shown.Claims = append(shown.Claims, c)
	}
	return shown
}

// label turns a claim's path into words.
func label(path string) string {
	switch path {
	case "given_name":
		return "Given name"
	case "family_name":
		return "Family name"
	case "birthdate", "birth_date":
		return "Date of birth"
	case "document_type":
		return "Kind of document"
	case "document_number":
		return "Document number"
	case "portrait":
		return "Your portrait"
	}
	return strings.ReplaceAll(path, "_", " ")
}

func holder(c wallet.Credential) string {
	return strings.TrimSpace(c.Claim("given_name") + " " + c.Claim("family_name"))
}

func cards(w *wallet.Wallet) []card {
	var shown []card
	for _, c := range w.Credentials() {
		next := card{ID: c.ID, Name: c.Name, Issuer: c.Issuer, Holder: holder(c), Portrait: c.Portrait() != nil}
		if !c.Expires.IsZero() {
			next.Expires = c.Expires.UTC().Format("2 January 2006")
		}
		shown = append(shown, next)
	}
	return shown
}

func (s *Server) render(v visit, status int, name string, shown view) {
	shown.CSRF, shown.BaseURL = v.h.token, s.cfg.BaseURL
	shown.Owner, shown.People, shown.Cards = v.h.owner, s.cfg.People, append(cards(v.h.wallet), olderCards(v.h.authenticator)...)
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, name, shown); err != nil {
		s.cfg.Logger.ErrorContext(v.r.Context(), "rendering a page", "page", name, "error", err)
		http.Error(v.w, "This page could not be shown. Go back and try again.", http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(page.Bytes())
}

func (s *Server) fail(v visit, status int, p problem) {
	s.render(v, status, "problem.html", view{Title: p.Title, Problem: &p})
}

// failWith shows an error that kept a link from becoming a task.
func (s *Server) failWith(v visit, err error, other string) {
	s.log(v, err)
	s.fail(v, http.StatusBadRequest, explain(err, other))
}

// log records an error. The errors of the wallet name what was wrong and never what was in it.
func (s *Server) log(v visit, err error) {
	s.cfg.Logger.WarnContext(v.r.Context(), "wallet step", "method", v.r.Method, "route", v.r.Pattern, "error", err)
}

func (s *Server) notFound(v visit) {
	s.fail(v, http.StatusNotFound, problem{"There is nothing here", "The address is not one of this wallet's.", "Open the wallet and start from there."})
}

func (s *Server) selfie(v visit) {
	t := v.h.task(v.r.PathValue("task"))
	if t == nil || len(t.selfie) == 0 {
		http.NotFound(v.w, v.r)
		return
	}
	picture(v, t.selfie)
}

func (s *Server) portrait(v visit) {
	for _, c := range v.h.wallet.Credentials() {
		if portrait := c.Portrait(); c.ID == v.r.PathValue("credential") && portrait != nil {
			picture(v, portrait)
			return
		}
	}
	s.olderPortrait(v)
}

// picture serves a JPEG as nothing but that, whatever an issuer put there.
func picture(v visit, jpeg []byte) {
	v.w.Header().Set("Content-Type", "image/jpeg")
	_, _ = v.w.Write(jpeg)
}

func (s *Server) style(w http.ResponseWriter, r *http.Request) {
	serveFile(w, r, "pages/style.css", "text/css; charset=utf-8")
}

func (s *Server) icon(w http.ResponseWriter, r *http.Request) {
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
