package registration

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"

	"regain/provider/problem"
	"regain/storage"
)

// Read returns the registration (RFC 7592 §2.1).
func (s *Service) Read(ctx context.Context, id, token string) (Information, error) {
	_, r, err := s.open(ctx, id, token)
	if err != nil {
		return Information{}, err
	}
	m, err := r.metadata()
	if err != nil {
		return Information{}, problem.ServerError(err)
	}
	return Information{ClientID: id, IssuedAt: r.IssuedAt, URI: s.base + "/" + id, Metadata: m}, nil
}

// Update replaces all metadata of the registration (RFC 7592 §2.2).
func (s *Service) Update(ctx context.Context, id, token string, body []byte) (Information, error) {
	row, r, err := s.open(ctx, id, token)
	if err != nil {
		return Information{}, err
	}
	m, sent, err := parse(body)
	if err != nil {
		return Information{}, err
	}
	if err := checkUpdate(sent, id, r.Secret); err != nil {
		return Information{}, err
	}
	info, err := s.fill(id, &r, m)
	if err != nil {
		return Information{}, err
	}
	if row.Data, err = storage.Encode(r); err != nil {
		return Information{}, problem.ServerError(err)
	}
	switch err := s.deps.Store.Update(ctx, row); {
	case errors.Is(err, storage.ErrConflict), errors.Is(err, storage.ErrNotFound):
		return Information{}, problem.New(http.StatusConflict, "invalid_request", "The registration was changed in the meantime. Read it and try again.")
	case err != nil:
		return Information{}, problem.Unavailable(err)
	}
	return info, nil
}

// checkUpdate checks what an update must and must not contain (RFC 7592 §2.2).
func checkUpdate(sent map[string]any, id string, secret [sha256.Size]byte) error {
	if sent["client_id"] != id {
		return invalid("The client_id is missing, or is another client's.", nil)
	}
	for _, name := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
		if _, there := sent[name]; there {
			return invalid("An update must not contain "+name+".", nil)
		}
	}
	if shown, there := sent["client_secret"]; there {
		text, _ := shown.(string)
		digest := sha256.Sum256([]byte(text))
		if subtle.ConstantTimeCompare(digest[:], secret[:]) != 1 {
			return invalid("The client_secret is not the one that was issued.", nil)
		}
	}
	return nil
}

// Delete deletes the registration (RFC 7592 §2.3). Codes and tokens of the client are invalid from then on.
func (s *Service) Delete(ctx context.Context, id, token string) error {
	if _, _, err := s.open(ctx, id, token); err != nil {
		return err
	}
	if err := s.deps.Store.Delete(ctx, kindClient, id); err != nil {
		return problem.Unavailable(err)
	}
	return nil
}

// open returns the registration if token is its registration access token. The error is the same for a client that
// does not exist, so that client ids cannot be probed.
func (s *Service) open(ctx context.Context, id, token string) (storage.Record, record, error) {
	row, r, err := s.get(ctx, id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return row, r, problem.Unavailable(err)
	}
	shown := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(shown[:], r.Token[:]) != 1 || err != nil {
		return storage.Record{}, record{}, wrongToken()
	}
	return row, r, nil
}
