// Backups of Camunda Optimize by the policy component, in a host of one's own.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/samyfodil/wazy"
	"github.com/samyfodil/wazy/component"
)

const usage = "usage: example-go POLICY (create ID | advance ID | get ID | list | delete ID)"

// The interface that the policy exports.
const backups = "optimize:backup/backups@1.0.0"

// The cases of the enum backup-state, in their order.
var states = []string{"complete", "in-progress", "failed", "incompatible", "incomplete"}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) < 2 {
		return errors.New(usage)
	}
	bytes, err := os.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	runtime := wazy.NewRuntime(ctx)
	defer runtime.Close(ctx)
	engine := &elasticsearch{
		url:        setting("ELASTICSEARCH_URL", "http://localhost:9200"),
		repository: setting("BACKUP_REPOSITORY", ""),
	}
	instance, err := component.Instantiate(ctx, runtime, bytes, engine.imports()...)
	if err != nil {
		return err
	}
	defer instance.Close(ctx)
	policy := policy{ctx, engine, instance}
	switch command, ids := arguments[1], arguments[2:]; {
	case command == "create" && len(ids) == 1:
		return policy.create(ids[0])
	case command == "advance" && len(ids) == 1:
		return policy.advance(ids[0])
	case command == "get" && len(ids) == 1:
		return policy.get(ids[0])
	case command == "list" && len(ids) == 0:
		return policy.list()
	case command == "delete" && len(ids) == 1:
		return policy.delete(ids[0])
	}
	return errors.New(usage)
}

// policy is an instance of the component. Its records come as lists, in the order of their fields.
type policy struct {
	ctx      context.Context
	engine   *elasticsearch
	instance *component.Instance
}

func (p policy) create(id string) error {
	accepted, err := p.call("create", id)
	if err != nil {
		return err
	}
	fmt.Printf("accepted %v: %v\n", accepted[0], accepted[1])
	return p.advance(id)
}

// advance drives a backup until it ends. It resumes a run that another process has begun.
func (p policy) advance(id string) error {
	number, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return err
	}
	for {
		progress, err := p.call("advance", number)
		if err != nil {
			return err
		}
		show(progress[0])
		againIn, goesOn := progress[1].(uint64)
		if !goesOn {
			return nil
		}
		time.Sleep(time.Duration(againIn) * time.Millisecond)
	}
}

func (p policy) get(id string) error {
	backup, err := p.call("get", id)
	if err == nil {
		show(backup)
	}
	return err
}

func (p policy) list() error {
	// All, without a bound, without a limit, in full.
	everything := []component.Value{"*", nil, nil, true}
	page, err := p.call("list", everything)
	if err != nil {
		return err
	}
	for _, backup := range page[0].([]component.Value) {
		show(backup)
	}
	return nil
}

func (p policy) delete(id string) error {
	deleted, err := p.call("delete", id, nil)
	if err != nil {
		return err
	}
	var names []string
	for _, name := range deleted[0].([]component.Value) {
		names = append(names, name.(string))
	}
	fmt.Printf("deleted %s: %s\n", id, strings.Join(names, ", "))
	return nil
}

// call calls an operation. The policy keeps nothing between two calls: it is told everything each time.
func (p policy) call(name string, arguments ...component.Value) ([]component.Value, error) {
	p.engine.enter(name, arguments...)
	settings := []component.Value{
		setting("BACKUP_REPOSITORY", ""),
		setting("INDEX_PREFIX", "optimize"),
		nil,             // optimize-version: ask Elasticsearch
		uint32(0),       // engine: elasticsearch
		uint64(600_000), // resume-window
	}
	now := uint64(time.Now().UnixMilli())
	given := []component.Value{settings, now, uuid.NewString(), "example-go 0.1.0", []component.Value{}}
	results, err := p.instance.CallExport(p.ctx, backups, name, append([]component.Value{given}, arguments...)...)
	if err != nil {
		return nil, err
	}
	result := results[0].(component.ResultValue)
	if !result.IsErr {
		return result.Payload.([]component.Value), nil
	}
	problem := result.Payload.(component.VariantValue).Payload.([]component.Value)
	if problem[2] == nil {
		return nil, fmt.Errorf("%v: %v", problem[0], problem[1])
	}
	return nil, fmt.Errorf("%v: %v\n%v", problem[0], problem[1], problem[2])
}

func show(value component.Value) {
	backup := value.([]component.Value)
	var names []string
	for _, detail := range backup[3].([]component.Value) {
		names = append(names, detail.([]component.Value)[0].(string))
	}
	fmt.Printf("%s %v: %s\n", states[backup[1].(uint32)], backup[0], strings.Join(names, ", "))
	if reason := backup[2]; reason != nil {
		fmt.Println(reason)
	}
}

func setting(name, otherwise string) string {
	return cmp.Or(os.Getenv(name), otherwise)
}
