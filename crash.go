package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"regain/conformance/crash"
)

// crashHelp stands before the flags of `regain crash --help`.
const crashHelp = `regain crash has many people recover their accounts on this machine while nodes are killed and the database fails,
and then checks what is left. It prints a line now and then and a summary, and exits 1 if a check fails. It ends by itself.

On MongoDB three nodes share one database, behind a balancer that sends each request to any of them; the connection to the
database is cut, reset, slowed and torn, and the database restarted. On the file store there is one node, whose file is kept when
it is killed; in memory there is one, and what was open is lost: then each person must read what to do.

Without --mongo-uri the database is the test server that scripts/mongo makes. It keeps everything in memory and would lose it in a
restart: in place of that its process is stopped for a while (SIGSTOP, SIGCONT) and every connection is cut. It shows nothing about
journals, replica sets and failover.

Afterwards: no transaction has two passes, as the clients received them and as the audit logs have them; no pass is without its
record; of no transaction with a pass a durable record is missing; the audit logs verify, each and together; each pass is good; each recovery that
got stuck has ended by itself; each person saw pages that say what to do; no node ended by itself.

  regain crash --store file --journeys 1000 --kills 50
  regain crash --store mongo --journeys 1000 --kills 50 --seed 7
  regain crash --store mongo --mongo-uri mongodb://127.0.0.1:27017 --mongo-restart 'systemctl restart mongod'

`

func runCrash(ctx context.Context, args []string, out io.Writer) error {
	flags := pflag.NewFlagSet("crash", pflag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(out, crashHelp+flags.FlagUsages()) }
	var o crash.Options
	flags.StringVar(&o.Store, "store", "file", "storage backend: "+strings.Join(crash.Stores(), ", "))
	flags.IntVar(&o.Journeys, "journeys", crash.DefaultJourneys, "people who recover; more come while there are kills or faults to come")
	flags.IntVar(&o.Kills, "kills", crash.DefaultKills, "how often a node is killed")
	flags.IntVar(&o.Faults, "faults", -1, "with --store mongo: how often the database or the connection to it fails; as often as nodes are killed without this")
	flags.IntVar(&o.Workers, "workers", crash.DefaultWorkers, "people at the same time")
	flags.DurationVar(&o.Duration, "duration", crash.DefaultDuration, "after this nobody begins a journey, and nothing fails any more; what was done until then is checked")
	flags.DurationVar(&o.Lifetime, "lifetime", crash.DefaultLifetime, "of a recovery: what got stuck must have ended after it")
	flags.Uint64Var(&o.Seed, "seed", 0, "number that decides which faults come, and when; without it one is chosen and printed")
	flags.StringVar(&o.MongoURI, "mongo-uri", "", "`URI` of a MongoDB server to use in place of the test server, in a database that is dropped afterwards")
	flags.StringVar(&o.MongoRestart, "mongo-restart", "", "`command` that restarts the server of --mongo-uri; without it its connections are cut in place of that")
	flags.StringVar(&o.Keep, "keep", "", "`directory`, made for it, that keeps the nodes' logs and audit logs; without it they are kept only if a check fails")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	return crash.Run(ctx, o, out)
}
