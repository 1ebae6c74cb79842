package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// settings are what a node must have in common with the others. They hold no secret: ids of keys are four octets of a hash.
type settings struct {
	Node   string              `json:"node"`
	Issuer string              `json:"issuer"`
	Keys   map[string][]string `json:"keys"` // ids, by the configuration's key
}

// settings returns those of this node, which has a name.
func (n *Node) settings(name string) (settings, error) {
	var published struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(n.ring.JWKS(), &published); err != nil {
		return settings{}, fmt.Errorf("read our own keys: %w", err)
	}
	var signing []string
	for _, key := range published.Keys {
		signing = append(signing, key.ID)
	}
	return settings{Node: name, Issuer: n.cfg.Issuer, Keys: map[string][]string{
		"secrets.token_secret": keyIDs("token", n.loaded.Secrets.Token...),
		"secrets.pass_key":     keyIDs("pass", n.loaded.Secrets.Pass...),
		"secrets.signing_key":  signing,
	}}, nil
}

// keyIDs tells keys for a purpose apart, and tells nothing of them.
func keyIDs(purpose string, keys ...[]byte) (ids []string) {
	for _, key := range keys {
		const size = 4
		sum := sha256.Sum256(append([]byte("regain node settings\x00"+purpose+"\x00"), key...))
		ids = append(ids, hex.EncodeToString(sum[:size]))
	}
	return ids
}

// nodeName is the name of this node among those that share its store.
func nodeName(cfg config.Config) (string, error) {
	if cfg.Audit.Node != "" {
		return cfg.Audit.Node, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("audit.node: name this node: %w", err)
	}
	return name, nil
}

// differences says what of other is not as it must be, in the words of an operator. The error is what stops a start.
func (s settings) differences(other settings) (tells []string, err error) {
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

// otherNodes compares this node with the others.
type otherNodes struct {
	name   string                   // of this one
	mine   func() (settings, error) // as they are now: signing keys are read again while the node runs
	store  storage.Store
	logger *slog.Logger
	clock  func() time.Time
	stop   context.CancelFunc
	ended  chan struct{}
}

// meetOthers compares this node with those that share its store, and goes on with it until the node is closed.
func (n *Node) meetOthers(store storage.Store, deps Deps) error {
	if n.shared == nil || deps.ReadOnly {
		return nil
	}
	name, err := nodeName(n.cfg)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	o := &otherNodes{name: name, mine: func() (settings, error) { return n.settings(name) }, store: store, logger: deps.Logger, clock: deps.Clock, stop: stop, ended: make(chan struct{})}
	mine, err := o.compare(ctx)
	if err != nil { // and leaves nothing that would stop the others
		stop()
		return err
	}
	o.leave(ctx, mine)
	go o.goOn(ctx)
	n.closers, n.others = append(n.closers, o), o
	return nil
}

func (o *otherNodes) goOn(ctx context.Context) {
	defer close(o.ended)
	ticker := time.NewTicker(compareEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		o.again(ctx)
	}
}

func (o *otherNodes) again(ctx context.Context) {
	mine, err := o.compare(ctx)
	if err != nil {
		o.tell(err.Error())
	}
	o.leave(ctx, mine)
}

func (o *otherNodes) tell(difference string) {
	o.logger.Error("another node that shares the store differs", "difference", difference)
}

// compare returns what this node has, and as an error what of another must stop it; other differences are told in the log. A
// store that does not answer is no difference: whatever needs it says so.
func (o *otherNodes) compare(ctx context.Context) (mine settings, err error) {
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
		var other settings
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
func (o *otherNodes) leave(ctx context.Context, mine settings) {
	ctx, cancel := context.WithTimeout(ctx, compareWithin)
	defer cancel()
	if err := o.write(ctx, mine); err != nil && ctx.Err() == nil {
		o.logger.Warn("the nodes that share the store do not see this one", "cause", err)
	}
}

func (o *otherNodes) write(ctx context.Context, mine settings) error {
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
func (o *otherNodes) Close() error {
	o.stop()
	<-o.ended
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	_ = o.store.Delete(ctx, kindNode, o.name)
	return nil
}
