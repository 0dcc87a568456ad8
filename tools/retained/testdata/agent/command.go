package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func execute(args []string) error {
	var o options
	root := &cobra.Command{Use: "agent", Short: "a small device agent", SilenceUsage: true}
	run := &cobra.Command{
		Use:   "run SCRIPT",
		Short: "run a script again and again",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.script = args[0]
			return serve(&o)
		},
	}
	run.Flags().StringVarP(&o.listen, "listen", "l", ":8080", "address of the counters")
	run.Flags().DurationVar(&o.every, "every", time.Minute, "time between two runs")
	root.PersistentFlags().BoolVarP(&o.verbose, "verbose", "v", false, "say more")
	eval := &cobra.Command{
		Use:  "eval SCRIPT",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := evaluate(args[0])
			if err == nil {
				fmt.Fprintln(c.OutOrStdout(), v)
			}
			return err
		},
	}
	root.AddCommand(run, eval)
	root.SetArgs(args)
	return root.Execute()
}
