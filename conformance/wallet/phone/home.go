package phone

import "net/http"

// home is the phone when nothing was asked of it.
type home struct{ screen *screen }

func (h *home) mount(mux *http.ServeMux, by *switchboard) {
	mux.HandleFunc("GET /style.css", style)
	mux.HandleFunc("GET /icon.svg", icon)
	mux.HandleFunc("GET /{$}", by.page(h.show))
	mux.HandleFunc("GET /credentials/{credential}/portrait.jpg", by.page(portrait))
	mux.HandleFunc("POST /person", by.action(h.choosePerson))
	mux.HandleFunc("/", by.page(h.notFound))
}

func (h *home) show(v visit) {
	h.screen.render(v, http.StatusOK, "home.html", view{Title: "Your wallet"})
}

func (h *home) notFound(v visit) {
	h.screen.fail(v, http.StatusNotFound, problem{"There is nothing here", "The address is not one of this wallet's.", "Open the wallet and start from there."})
}

// choosePerson says whose phone this is.
func (h *home) choosePerson(v visit) {
	for _, p := range h.screen.people {
		if p.ID == v.r.PostFormValue("person") {
			v.h.owner = &p
			if t := v.h.task(v.r.PostFormValue("task")); t != nil {
				t.problem = nil
				v.seeOther("/tasks/" + t.id)
				return
			}
			v.seeOther("/")
			return
		}
	}
	h.screen.fail(v, http.StatusBadRequest, problem{"Nobody by that name", "This phone knows no such person.", "Go back and choose one of the people shown."})
}
