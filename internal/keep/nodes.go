package keep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"regain/internal/config"
	"regain/storage"
)

// Nodes that share a store each keep a record there of what they must have in common, under their names, for as long as they
// run. A node with another issuer would go on with people and codes of the others' and is not started. A node that has a list
// of keys without one of another node's makes what that node refuses: both tell of it in their logs, at the start and for as
// long as it lasts. While keys are rotated, each list has one in common with the list before.
const (
	kindNode  = storage.Kind("node")
	nodeGroup = "nodes"

	nodeLifetime  = 15 * time.Minute // of the record of a node that was killed
	compareEvery  = 5 * time.Minute
	compareWithin = 5 * time.Second
	leaveWithin   = time.Second // when the node is closed
	mostNodes     = 256
)

// Settings are what a node must have in common with the others. They hold no secret: ids of keys are four octets of a hash.
type Settings struct {
	Node   string              `json:"node"`
	Issuer string              `json:"issuer"`
	Keys   map[string][]string `json:"keys"` // ids, by the configuration's key
}

// nodeName is the name of this node among those that share its store.
func nodeName(cfg config.AuditConfig) (string, error) {
	if cfg.Node != "" {
		return cfg.Node, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("audit.node: name this node: %w", err)
	}
	return name, nil
}

// differences says what of other is not as it must be, in the words of an operator. The error is what stops a start.
func (s Settings) differences(other Settings) (tells []string, err error) {
	if s.Issuer != other.Issuer {
		err = fmt.Errorf("issuer: node %q, which shares this store, is %s, and this one is %s: nodes of one store are one issuer; give another issuer a database of its own (storage.mongo.database)", other.Node, other.Issuer, s.Issuer)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Keys)) {
		theirs, known := other.Keys[key]
		if known && !slices.ContainsFunc(s.Keys[key], func(id string) bool { return slices.Contains(theirs, id) }) {
			tells = append(tells, fmt.Sprintf("%s: node %q has %s, and this one %s: what one makes the other refuses; give every node the same", key, other.Node, strings.Join(theirs, ", "), strings.Join(s.Keys[key], ", ")))
		}
	}
	return tells, err
}

// Nodes compares this node with the others.
type Nodes struct {
	name   string                   // of this one
	mine   func() (Settings, error) // as they are now: signing keys are read again while the node runs
	store  storage.Store
	logger *slog.Logger
	clock  func() time.Time
	again  *repetition
}

// meetOthers compares this node with those that share its store, and goes on with it until the store is closed.
func (k *Kept) meetOthers(cfg config.AuditConfig, common func(name string) (Settings, error)) error {
	if k.shared == nil || k.deps.ReadOnly {
		return nil
	}
	name, err := nodeName(cfg)
	if err != nil {
		return err
	}
	o := &Nodes{name: name, mine: func() (Settings, error) { return common(name) }, store: k.Store, logger: k.deps.Logger, clock: k.deps.Clock}
	mine, err := o.compare(context.Background())
	if err != nil { // and leaves nothing that would stop the others
		return err
	}
	o.leave(context.Background(), mine)
	o.again = repeat(compareEvery, o.Compare)
	k.closers, k.Nodes = append(k.closers, o), o
	return nil
}

// Compare compares this node with the others, and tells the log how they differ.
func (o *Nodes) Compare(ctx context.Context) {
	mine, err := o.compare(ctx)
	if err != nil {
		o.tell(err.Error())
	}
	o.leave(ctx, mine)
}

func (o *Nodes) tell(difference string) {
	o.logger.Error("another node that shares the store differs", "difference", difference)
}

// compare returns what this node has, and as an error what of another must stop it; other differences are told in the log. A
// store that does not answer is no difference: whatever needs it says so.
func (o *Nodes) compare(ctx context.Context) (mine Settings, err error) {
	if mine, err = o.mine(); err != nil {
		return mine, err
	}
	ctx, cancel := context.WithTimeout(ctx, compareWithin)
	defer cancel()
	records, err := o.store.List(ctx, kindNode, nodeGroup, "", mostNodes)
	if err != nil {
		o.logger.Warn("this node was not compared with those that share its store", "cause", err)
		return mine, nil
	}
	var stops []error
	for _, r := range records {
		var other Settings
		if err := json.Unmarshal(r.Data, &other); err != nil || r.ID == o.name {
			continue
		}
		tells, err := mine.differences(other)
		stops = append(stops, err)
		for _, difference := range tells {
			o.tell(difference)
		}
	}
	return mine, errors.Join(stops...)
}

// leave keeps this node's record for another while.
func (o *Nodes) leave(ctx context.Context, mine Settings) {
	ctx, cancel := context.WithTimeout(ctx, compareWithin)
	defer cancel()
	if err := o.write(ctx, mine); err != nil && ctx.Err() == nil {
		o.logger.Warn("the nodes that share the store do not see this one", "cause", err)
	}
}

func (o *Nodes) write(ctx context.Context, mine Settings) error {
	data, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	r := storage.Record{Kind: kindNode, ID: o.name, Group: nodeGroup, Data: data, ExpiresAt: o.clock().Add(nodeLifetime)}
	last, err := o.store.Get(ctx, kindNode, r.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return o.store.Create(ctx, r)
	}
	if err != nil {
		return err
	}
	r.Version = last.Version
	return o.store.Update(ctx, r)
}

// Close takes the record away, so that nodes that are all stopped can be started with other keys without a word. Where the
// store does not answer it expires.
func (o *Nodes) Close() error {
	o.again.end()
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	_ = o.store.Delete(ctx, kindNode, o.name)
	return nil
}
