package crash_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"regain/conformance/crash"
	"regain/conformance/mongoserver"
	"regain/internal/config"
	"regain/internal/node"
)

// TestMain makes the test program what the nodes are run from, as `regain` is.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == crash.Command {
		if err := serve(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serve(path string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: path}, &cfg); err != nil {
		return err
	}
	return node.Serve(crash.UntilClosed(ctx, os.Stdin), cfg, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
}

func short(store string) crash.Options {
	o := crash.Options{
		Store: store, Journeys: 30, Kills: 6, Faults: -1, Workers: crash.DefaultWorkers, Duration: 30 * time.Second, Lifetime: 5 * time.Second, Seed: 1,
	}
	if store == "memory" { // which the tests of the command line run too
		o.Journeys, o.Kills = 10, 2
	}
	return o
}

// A short run on each store: people recover while nodes are killed and the database fails, and every promise holds.
func TestRecoveriesSurviveCrashes(t *testing.T) {
	t.Parallel()
	for _, store := range crash.Stores() {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := crash.Run(t.Context(), short(store), &out)
			t.Log(out.String())
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`kills \(SIGKILL\) +[1-9]`, `finished: signed in with the pass +[1-9]`, `ok +no transaction has two passes`} {
				if !regexp.MustCompile(want).Match(out.Bytes()) {
					t.Errorf("the summary has no %q", want)
				}
			}
			if strings.Contains(out.String(), "FAIL") {
				t.Error("a check failed, and the run did not")
			}
		})
	}
}

// On somebody's server the run restarts it by their command, and leaves nothing there.
func TestRecoveriesOnSomebodysServer(t *testing.T) {
	t.Parallel()
	server, err := mongoserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	called := filepath.Join(t.TempDir(), "called")
	o := short("mongo")
	o.Journeys, o.Kills, o.Faults, o.Seed = 6, 1, 4, 5
	o.MongoURI, o.MongoRestart = server.URI, "echo . >> "+called
	var out bytes.Buffer
	err = crash.Run(t.Context(), o, &out)
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(called); err != nil || !strings.Contains(out.String(), fmt.Sprintf("restart %d", strings.Count(string(text), "."))) {
		t.Errorf("the server was restarted: %q, %v", text, err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(server.URI))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(context.WithoutCancel(t.Context())) //nolint:errcheck // the server ends anyway
	if left, err := client.ListDatabaseNames(t.Context(), bson.D{}); err != nil || len(left) > 0 {
		t.Errorf("the run left %v, %v", left, err)
	}
}

func TestOptionsThatCannotBeRun(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*crash.Options)
		cause  string
	}{
		"store":              {func(o *crash.Options) { o.Store = "disk" }, "use memory, file, mongo"},
		"nobody":             {func(o *crash.Options) { o.Journeys = 0 }, "--journeys 0"},
		"kills":              {func(o *crash.Options) { o.Kills = -1 }, "--kills -1"},
		"faults":             {func(o *crash.Options) { o.Faults = 1_000_000 }, "--faults 1000000"},
		"workers":            {func(o *crash.Options) { o.Workers = 65 }, "use 1 to 64"},
		"for ever":           {func(o *crash.Options) { o.Duration = 13 * time.Hour }, "use a duration up to"},
		"lifetime":           {func(o *crash.Options) { o.Lifetime = time.Second }, "--lifetime 1s"},
		"restart of what":    {func(o *crash.Options) { o.MongoRestart = "true" }, "say with --mongo-uri"},
		"another store's":    {func(o *crash.Options) { o.Store, o.MongoURI = "file", "mongodb://127.0.0.1" }, "it is of --store mongo"},
		"no URI":             {func(o *crash.Options) { o.MongoURI = "127.0.0.1:27017" }, "use mongodb://host:port"},
		"several servers":    {func(o *crash.Options) { o.MongoURI = "mongodb://u:secret@a,b/" }, "of one server"},
		"a directory's own":  {func(o *crash.Options) { o.Keep = t.TempDir() }, "does not exist yet"},
		"servers by DNS SRV": {func(o *crash.Options) { o.MongoURI = "mongodb+srv://u:secret@a/" }, "of one server"},
	} {
		t.Run(name, func(t *testing.T) {
			o := short("mongo")
			row.change(&o)
			err := crash.Run(t.Context(), o, new(bytes.Buffer))
			if err == nil || !strings.Contains(err.Error(), row.cause) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q", err, row.cause)
			}
		})
	}
}

// A run that is interrupted ends at once, and leaves no node.
func TestARunThatIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	o := short("memory")
	o.Journeys, o.Duration = 1_000_000, time.Hour
	time.AfterFunc(2*time.Second, cancel)
	began := time.Now()
	if err := crash.Run(ctx, o, new(bytes.Buffer)); !errors.Is(err, context.Canceled) {
		t.Errorf("the run ended with %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s to end", took)
	}
}
