package phone

import "net/http"

// visit is one request of one phone.
type visit struct {
	w http.ResponseWriter
	r *http.Request
	h *handset
}

// seeOther sends the browser on with a GET. 307 would repeat the form at the next party
// (RFC 9700 §4.12).
func (v visit) seeOther(to string) { http.Redirect(v.w, v.r, to, http.StatusSeeOther) }

// switchboard connects a request with the phone of its browser.
type switchboard struct {
	phones *phones
	screen *screen
}

// page finds or makes the browser's phone; one request of a phone is handled at a time, as on a
// real one.
func (s *switchboard) page(handle func(visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h, err := s.phones.of(w, r)
		if err != nil {
			s.screen.logger.ErrorContext(r.Context(), "making a phone", "error", err)
			http.Error(w, "This phone could not be switched on. Try again in a minute.", http.StatusInternalServerError)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		handle(visit{w: w, r: r, h: h})
	}
}

// action is page for what changes something: it takes the phone's own token in the form.
func (s *switchboard) action(handle func(visit)) http.HandlerFunc {
	return s.page(func(v visit) {
		v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
		if err := v.r.ParseForm(); err != nil {
			s.screen.fail(v, http.StatusBadRequest, problem{"That did not arrive whole", "What was sent is too long or damaged.", "Go back and try again."})
			return
		}
		if !v.h.owns(v.r.PostFormValue("csrf")) {
			s.screen.fail(v, http.StatusForbidden, problem{"This page is too old", "The page was opened before this phone was switched on, or by another site.", "Open the wallet again and repeat the step."})
			return
		}
		handle(v)
	})
}
