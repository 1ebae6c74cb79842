package phone

import (
	"strings"

	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator/domain"
)

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
