package load

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"regain/internal/config"
	"regain/internal/node"
)

// ServeNode is the server's process: it serves the configured node on the listener that it was handed as its fourth
// file, on one core, and answers the words of child on in and out until in ends.
//
// With a profile, a CPU profile of all that it did is written there, for `go tool pprof`.
func ServeNode(path, profile string, in io.Reader, out io.Writer) error {
	stop, err := startProfile(profile)
	if err != nil {
		return err
	}
	return errors.Join(serveNode(path, in, out), stop())
}

func startProfile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("write profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(fmt.Errorf("write profile: %w", err), file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

func serveNode(path string, in io.Reader, out io.Writer) error {
	if err := pin(); err != nil {
		return err
	}
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: path}, &cfg); err != nil {
		return err
	}
	kept, err := storeNamed(cfg.Storage.Backend)
	if err != nil {
		return err
	}
	logger := slog.New(slog.DiscardHandler)
	node.Tune(logger)
	counted := &counting{}
	if kept.commits != nil {
		counted.commits = func() (int64, error) { return kept.commits(cfg.Storage) }
	}
	n, err := node.New(cfg, node.Deps{Logger: logger, Clock: time.Now, Random: rand.Reader, Wrap: counted.around})
	if err != nil {
		return err
	}
	listener, err := takeOver(cfg.TLS, counted)
	if err != nil {
		return errors.Join(err, n.Close())
	}
	counted.handler = n
	server := node.NewServer(counted, logger)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	err = answer(in, out, counted, kept)
	n.EndLivePages()
	if stop := server.Close(); stop != nil || !errors.Is(<-failed, http.ErrServerClosed) {
		err = errors.Join(err, stop, errors.New("the server stopped by itself"))
	}
	return errors.Join(err, n.Close())
}

// takeOver returns the listener that this process was handed, with TLS if the node has a certificate.
func takeOver(c config.TLSConfig, counted *counting) (net.Listener, error) {
	const listenerFile = 3
	listener, err := net.FileListener(os.NewFile(listenerFile, "listener"))
	if err != nil {
		return nil, fmt.Errorf("take over the listener: %w", err)
	}
	if c.CertificateFile == "" {
		return listener, nil
	}
	pair, err := tls.LoadX509KeyPair(c.CertificateFile, c.KeyFile)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the server's certificate: %w", err), listener.Close())
	}
	settings := node.TLS(pair)
	settings.VerifyConnection = counted.handshake
	return tls.NewListener(listener, settings), nil
}

func answer(in io.Reader, out io.Writer, counted *counting, kept store) error {
	words := bufio.NewScanner(in)
	for words.Scan() {
		word, rest, _ := strings.Cut(words.Text(), " ")
		var reply any
		var err error
		switch word {
		case "usage":
			reply, err = counted.usage()
		case "floor":
			reply, err = floorOf(rest, kept)
		default:
			return fmt.Errorf("unknown word %q", word)
		}
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(reply); err != nil {
			return err
		}
	}
	return words.Err()
}

// floorOf measures the cryptography of a recovery whose use of the store is given as JSON.
func floorOf(use string, kept store) (time.Duration, error) {
	var each Usage
	if err := json.Unmarshal([]byte(use), &each); err != nil {
		return 0, fmt.Errorf("floor of what: %w", err)
	}
	return cryptoFloor(each, kept)
}
