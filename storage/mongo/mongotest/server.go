// Package mongotest starts a server of MongoDB's protocol for tests, or takes the one that MONGO_URI names, and breaks
// connections to it.
//
// The server that it starts is mongo-java-server 1.47.0 (Maven Central: de.bwaldvogel) in memory, with the main in the
// directory server; scripts/mongo makes it. It models what package mongo uses: unique ids, conditional updates,
// find-and-modify, sparse indexes, TTL indexes (swept each second). It does not model, and tests over it show nothing of:
// read and write concerns (taken, without meaning), journals, replica sets, elections and failover, the server's knowledge
// of repeated writes, transactions, authentication and TLS, sharding, and how fast any of it is. Run the tests with
// MONGO_URI for those.
package mongotest

import (
	"context"
	"os"
	"strings"

	"regain/conformance/mongoserver"
)

// NotModelled is what tests print about the server that is started here.
const NotModelled = mongoserver.NotModelled + "; set MONGO_URI to run on a server that has them"

// Server is a running server.
type Server struct {
	URI  string
	Own  bool // it was started here
	stop func() error
}

// Start returns the server of MONGO_URI, or starts one.
func Start() (*Server, error) {
	if uri := os.Getenv("MONGO_URI"); uri != "" {
		return &Server{URI: uri}, nil
	}
	return StartOwn()
}

// StartOwn starts a server, whatever MONGO_URI says. Arguments are those of its main.
func StartOwn(arguments ...string) (*Server, error) {
	server, err := mongoserver.Start(arguments...)
	if err != nil {
		return nil, err
	}
	return &Server{URI: server.URI, Own: true, stop: server.Stop}, nil
}

// Address is the host and port of a server that was started here.
func (s *Server) Address() string { return strings.TrimPrefix(s.URI, "mongodb://") }

// Drop drops a database, which a test made for itself.
func (s *Server) Drop(ctx context.Context, database string) error {
	return mongoserver.Drop(ctx, s.URI, database)
}

// Stop ends a server that was started here.
func (s *Server) Stop() error {
	if !s.Own {
		return nil
	}
	return s.stop()
}
