package proofing

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// notice is what a wallet may still tell about the credentials of one response.
type notice struct {
	grant       *grant
	credentials []string
	expires     time.Time
}

// serveNotification hears what became of credentials (OpenID4VCI 1.0 §11). Those that the wallet did not keep are
// revoked: a credential that was not kept must not be shown.
func (s *Server) serveNotification(w http.ResponseWriter, r *http.Request) {
	if err := s.notify(r); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) notify(r *http.Request) error {
	held, err := s.findGrant(r)
	if err != nil {
		return err
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return refuse("invalid_notification_request", "the request must be application/json")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return readError(err, "invalid_notification_request")
	}
	var request struct {
		ID          string  `json:"notification_id"`
		Event       string  `json:"event"`
		Description *string `json:"event_description"`
	}
	if err := decodeJSON(body, &request); err != nil || request.ID == "" {
		return refuse("invalid_notification_request", "the request is no JSON object with a notification_id")
	}
	if !slices.Contains([]string{"credential_accepted", "credential_failure", "credential_deleted"}, request.Event) {
		return refuse("invalid_notification_request", "the event is missing or not known")
	}
	if request.Description != nil && strings.ContainsFunc(*request.Description, func(c rune) bool {
		return c < 0x20 || c > 0x7e || c == '"' || c == '\\'
	}) {
		return refuse("invalid_notification_request", "event_description has characters that it must not have")
	}
	s.mu.Lock()
	about, found := s.notices[request.ID]
	found = found && about.grant == held
	s.mu.Unlock()
	if !found {
		return refuse("invalid_notification_id", "the notification_id did not come with this access token")
	}
	s.config.Logger.InfoContext(r.Context(), "wallet notified", "event", request.Event, "credentials", len(about.credentials))
	if request.Event == "credential_accepted" {
		return nil
	}
	for _, name := range about.credentials {
		if err := s.Revoke(name); err != nil {
			return err
		}
	}
	return nil
}
