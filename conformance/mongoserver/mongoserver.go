// Package mongoserver has a database for a run: on the server that somebody names, or on one that is started for it.
//
// The one that is started is mongo-java-server in memory (storage/mongo/mongotest/server), which scripts/mongo makes. It models
// what package storage/mongo uses. It leaves out read and write concern, journals, replica sets and failover, the server's own
// knowledge of repeated writes, authentication, TLS, sharding, and how fast any of it is.
package mongoserver

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// NotModelled is what runs on the server of this package say about it.
const NotModelled = "mongo-java-server in memory: read and write concern, journal, replica sets, failover, retryable writes, authentication, TLS and sharding are not modelled"

const dropTimeout = 5 * time.Second

// Server is a server that Start started.
type Server struct {
	URI     string
	stop    io.Closer
	ended   func() error
	process *os.Process
}

// Start starts the server. Arguments are those of its main.
func Start(arguments ...string) (*Server, error) {
	made, err := find()
	if err != nil {
		return nil, err
	}
	java := exec.CommandContext(context.Background(), "java", append([]string{
		"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Dslf4j.internal.verbosity=ERROR",
		"-cp", made + string(filepath.ListSeparator) + filepath.Join(made, "lib", "*"), "Server",
	}, arguments...)...)
	java.Stderr = os.Stderr
	apart(java)
	input, err := java.StdinPipe() // the server ends when it closes, also where this process is killed
	if err != nil {
		return nil, err
	}
	output, err := java.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := java.Start(); err != nil {
		return nil, fmt.Errorf("start the MongoDB test server: %w: run scripts/mongo, or name a server of your own", err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the MongoDB test server said nothing: %w", err), input.Close(), java.Wait())
	}
	return &Server{URI: strings.TrimSpace(line), stop: input, ended: java.Wait, process: java.Process}, nil
}

// find returns the directory that scripts/mongo made: beside the program, below the working directory, or in the tree that the
// program was built from.
func find() (string, error) {
	const name = "mongo-test-server"
	_, here, _, _ := runtime.Caller(0)
	places := []string{filepath.Join("bin", name), filepath.Join(filepath.Dir(here), "..", "..", "bin", name)}
	if program, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(program), name))
	}
	for _, place := range places {
		if _, err := os.Stat(filepath.Join(place, "Server.class")); err == nil {
			return place, nil
		}
	}
	return "", errors.New("the MongoDB test server is not made: run scripts/mongo in Regain's repository (it installs a JDK and Maven where they are missing), or name a server of your own")
}

// Stop ends the server.
func (s *Server) Stop() error { return errors.Join(s.stop.Close(), s.ended()) }

// Database is a database with a name that nobody else has.
type Database struct {
	URI, Name string
	server    *Server // nil where somebody else runs it
}

// Open returns a database for a run on the server of a URI, or on one that is started for it where that is "". The database
// itself is made by whoever writes to it first.
func Open(uri string) (*Database, error) {
	d := &Database{URI: uri, Name: "regain-run-" + strings.ToLower(rand.Text())}
	if uri != "" {
		return d, nil
	}
	var err error
	if d.server, err = Start(); err != nil {
		return nil, err
	}
	d.URI = d.server.URI
	return d, nil
}

// InMemory reports whether the server is the one of this package.
func (d *Database) InMemory() bool { return d.server != nil }

// Close drops the database, or ends the server that was started for it.
func (d *Database) Close() error {
	if d.server != nil {
		return d.server.Stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
	defer cancel()
	return Drop(ctx, d.URI, d.Name)
}

// Drop drops a database that a run made for itself.
func Drop(ctx context.Context, uri, name string) error {
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err == nil {
		err = errors.Join(client.Database(name).Drop(ctx), client.Disconnect(ctx))
	}
	if err != nil {
		return fmt.Errorf("drop the database %s of this run: %w", name, err)
	}
	return nil
}
