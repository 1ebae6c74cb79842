package idp

import "net/http"

// desk is what people see who have signed in, or are about to.
type desk struct {
	pages    *pages
	sessions sessions
}

func (d *desk) mount(on routes) {
	on.page("GET /{$}", d.plain("sign-in"))
	on.page("GET /other-ways", d.serveOtherWays)
	on.page("GET /passkey/new", d.forSession(rightCreatePasskey, "create-passkey"))
	on.page("GET /passkey/created", d.forSession(rightSeeCreated, "passkey-created"))
	on.page("GET /home", d.forSession(rightHome, "home"))
	on.page("POST /sign-out", d.serveSignOut)
}

// plain shows a page that knows nothing.
func (d *desk) plain(name string) action {
	return func(w http.ResponseWriter, _ *http.Request) error {
		return d.pages.show(w, http.StatusOK, view{Page: name})
	}
}

// forSession shows a page to those who hold the right.
func (d *desk) forSession(wanted right, name string) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, _, err := d.sessions.of(r, wanted)
		if err != nil {
			return err
		}
		return d.pages.show(w, http.StatusOK, view{Page: name, Account: v.account})
	}
}

func (d *desk) serveOtherWays(w http.ResponseWriter, r *http.Request) error {
	account, _ := accountName(r.URL.Query().Get("account")) // a prefilled field, no more
	return d.pages.show(w, http.StatusOK, view{Page: "other-ways", Account: account})
}

func (d *desk) serveSignOut(w http.ResponseWriter, r *http.Request) error {
	d.sessions.end(r)
	clearCookie(w, sessionCookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
