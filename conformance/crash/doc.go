// Package crash has many people recover their accounts while everything that can fail does, and then holds what everybody
// saw against what the audit logs say.
//
// The nodes are processes of this program (`regain serve`), killed with SIGKILL and started again. Between the people and
// the nodes is conformance/balancer, which sends each request to any node. On MongoDB there are three nodes, and a proxy
// between them and the database, which cuts, resets, slows and tears connections, and stops or restarts the database. On the
// file store and in memory there is one node: a file is one process's, and memory ends with it.
//
//	Run       the whole: start, drive, look again, check, report
//	schedule  which kills and faults come, and when: of the seed alone (plan.go)
//	server    one node's process (node.go)
//	proxy     what stands before the database (proxy.go), and database what befalls it (database.go)
//	person    somebody with a browser, a wallet, and an IdP, who does what each page says (person.go, party.go)
//	checks    what must be true afterwards (checks.go, page.go)
//
// What it models: people reload pages that nobody answers, as behind nginx; a client sends a request again that nobody
// answered, and now and then sends a code twice. What it leaves out: machines that lose power (a SIGKILL loses nothing that
// was written, synced or not), clocks that differ, disks that fail, networks between nodes and people that break.
package crash
