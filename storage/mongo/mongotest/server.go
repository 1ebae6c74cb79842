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
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// NotModelled is what tests print about the server that is started here.
const NotModelled = "mongo-java-server in memory: read and write concern, journal, replica sets, failover, retryable writes, authentication, TLS and sharding are not modelled; set MONGO_URI to run on a server that has them"

// Server is a running server.
type Server struct {
	URI   string
	Own   bool // it was started here
	stop  io.Closer
	ended func() error
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
	_, here, _, _ := runtime.Caller(0)
	made := filepath.Join(filepath.Dir(here), "..", "..", "..", "bin", "mongo-test-server")
	if _, err := os.Stat(filepath.Join(made, "Server.class")); err != nil {
		return nil, errors.New("the MongoDB test server is not made: run scripts/mongo (it installs a JDK and Maven where they are missing), or set MONGO_URI to a server")
	}
	java := exec.CommandContext(context.Background(), "java", append([]string{
		"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Dslf4j.internal.verbosity=ERROR",
		"-cp", made + string(filepath.ListSeparator) + filepath.Join(made, "lib", "*"), "Server",
	}, arguments...)...)
	java.Stderr = os.Stderr
	input, err := java.StdinPipe() // the server ends when it closes, also where this process is killed
	if err != nil {
		return nil, err
	}
	output, err := java.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := java.Start(); err != nil {
		return nil, fmt.Errorf("start the MongoDB test server: %w: run scripts/mongo, or set MONGO_URI to a server", err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the MongoDB test server said nothing: %w", err), input.Close(), java.Wait())
	}
	return &Server{URI: strings.TrimSpace(line), Own: true, stop: input, ended: java.Wait}, nil
}

// Address is the host and port of a server that was started here.
func (s *Server) Address() string { return strings.TrimPrefix(s.URI, "mongodb://") }

// Drop drops a database, which a test made for itself.
func (s *Server) Drop(ctx context.Context, database string) error {
	client, err := mongo.Connect(options.Client().ApplyURI(s.URI))
	if err != nil {
		return err
	}
	return errors.Join(client.Database(database).Drop(ctx), client.Disconnect(ctx))
}

// Stop ends a server that was started here.
func (s *Server) Stop() error {
	if !s.Own {
		return nil
	}
	return errors.Join(s.stop.Close(), s.ended())
}
