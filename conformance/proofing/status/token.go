package status

import (
	"errors"
	"io"
	"net/http"
	"strconv"
)

var errNoList = errors.New("no such status list")

// Mount serves the lists.
func (l *Lists) Mount(mux *http.ServeMux) { mux.HandleFunc("GET /status/{list}", l.serve) }

// serve answers with the Status List Token (Token Status List §8.1).
func (l *Lists) serve(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("list"))
	if err != nil || r.PathValue("list") != strconv.Itoa(number) {
		http.NotFound(w, r)
		return
	}
	if r.URL.Query().Has("time") {
		http.Error(w, "no historical status lists here", http.StatusNotImplemented) // §8.4
		return
	}
	token, err := l.token(number)
	switch {
	case errors.Is(err, errNoList):
		http.NotFound(w, r)
	case err != nil:
		l.config.Errors.Fault(w, r, err)
	default:
		w.Header().Set("Content-Type", "application/statuslist+jwt")
		w.Header().Set("Cache-Control", "max-age="+strconv.Itoa(int(l.config.TTL.Seconds())))
		_, _ = io.WriteString(w, token)
	}
}

func (l *Lists) token(number int) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number < 1 || number > len(l.lists) {
		return "", errNoList
	}
	asked, now := l.lists[number-1], l.config.Clock()
	if age := now.Sub(asked.signedAt); asked.signed != "" && age >= 0 && age < l.config.TTL/2 {
		return asked.signed, nil
	}
	packed, err := asked.pack()
	if err != nil {
		return "", err
	}
	signed, err := l.config.Sign("statuslist+jwt", map[string]any{
		"sub": asked.uri, "iat": now.Unix(), "exp": now.Add(2 * l.config.TTL).Unix(), "ttl": int(l.config.TTL.Seconds()),
		"status_list": map[string]any{"bits": statusBits, "lst": packed},
	})
	if err != nil {
		return "", err
	}
	asked.signed, asked.signedAt = signed, now
	return signed, nil
}
