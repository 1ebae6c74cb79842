package keep

import (
	"context"
	"errors"
	"fmt"

	"regain/adapters/auditlog"
	"regain/internal/config"
	"regain/recovery"
	"regain/storage"
)

const (
	kindAuditHead = storage.Kind("audit_head")
	// auditHeadID is that of a store that belongs to one node, as does a log; nodes that share a store add their names.
	auditHeadID = "head"
)

// auditHead keeps the audit log's head in the node's store, so that a log that was deleted together with its head is
// missed at the next start. It is here because adapters and storage do not import each other.
type auditHead struct {
	store storage.Store
	id    string
}

func newAuditHead(cfg config.Config, store storage.Store) (auditHead, error) {
	if cfg.Storage.Backend != "mongo" {
		return auditHead{store, auditHeadID}, nil
	}
	name, err := nodeName(cfg.Audit)
	if err != nil {
		return auditHead{}, err
	}
	return auditHead{store, auditHeadID + "-" + name}, nil
}

var _ auditlog.HeadStore = auditHead{}

func (h auditHead) LoadHead(ctx context.Context) (string, error) {
	r, err := h.store.Get(ctx, kindAuditHead, h.id)
	if errors.Is(err, storage.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the audit log's head in the store: %w", err)
	}
	return string(r.Data), nil
}

// SaveHead is tried again where the record was sealed with another key meanwhile, which nothing but that changes.
func (h auditHead) SaveHead(ctx context.Context, line string) error {
	_, err := recovery.RetryOnConflict(func() (struct{}, error) {
		r, err := h.store.Get(ctx, kindAuditHead, h.id)
		if errors.Is(err, storage.ErrNotFound) {
			return struct{}{}, h.store.Create(ctx, storage.Record{Kind: kindAuditHead, ID: h.id, Data: []byte(line)})
		}
		if err != nil {
			return struct{}{}, err
		}
		r.Data = []byte(line)
		return struct{}{}, h.store.Update(ctx, r)
	})
	return err
}
