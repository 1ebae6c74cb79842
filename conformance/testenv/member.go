package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"regain/internal/config"
	"regain/internal/node"
)

const stopTimeout = 5 * time.Second

// member is one of the nodes. Where there are several, it can be stopped and started again.
type member struct {
	options Options
	config  config.Config
	name    string
	address string // where it listens
	node    *node.Node
	server  *http.Server
	current atomic.Pointer[node.Node] // that answers
	asked   atomic.Int64
}

// ServeHTTP counts what the node is asked, beside whether it is ready.
func (m *member) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != Ready {
		m.asked.Add(1)
	}
	m.current.Load().ServeHTTP(w, r)
}

// startMember starts a node that was stopped, or for the first time, at its address.
func (w *Env) startMember(m *member) error {
	var err error
	if m.node, err = w.newNode(m.options, m.config, m.name); err != nil {
		return err
	}
	m.current.Store(m.node)
	listener, err := net.Listen("tcp", m.address)
	if err != nil {
		return fmt.Errorf("listen for a node: %w", err)
	}
	m.address = listener.Addr().String()
	m.server = w.serve(m.options, party{listener, "http://" + m.address}, m)
	return nil
}

// StopNode ends one of several nodes as a signal does: its live pages end, and what it is answering is answered.
func (w *Env) StopNode(i int) error {
	m := w.nodes[i]
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	m.node.EndLivePages()
	err := errors.Join(m.server.Shutdown(ctx), m.node.Close())
	m.node = nil
	return err
}

// StartNode starts a node again that was stopped.
func (w *Env) StartNode(i int) error { return w.startMember(w.nodes[i]) }

// Served returns how many requests each of several nodes was asked.
func (w *Env) Served() (all []int64) {
	for _, m := range w.nodes {
		if m.server != nil {
			all = append(all, m.asked.Load())
		}
	}
	return all
}

// endLivePages ends those of all nodes, or their servers would wait for them.
func (w *Env) endLivePages() {
	for _, m := range w.nodes {
		if m.node != nil {
			m.node.EndLivePages()
		}
	}
}

// closeRegain ends the nodes, whose servers have stopped.
func (w *Env) closeRegain() error {
	var problems []error
	if w.elsewhere != nil {
		problems = append(problems, w.elsewhere.Close())
	}
	for _, m := range w.nodes {
		if m.node != nil {
			problems = append(problems, m.node.Close())
		}
	}
	if w.database != nil {
		problems = append(problems, w.database.Close())
	}
	return errors.Join(problems...)
}
