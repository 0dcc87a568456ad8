package main

import "github.com/spf13/viper"

func setting(name string) (string, error) {
	v := viper.New()
	v.SetConfigName("store")
	v.AddConfigPath(".")
	v.SetEnvPrefix("store")
	v.AutomaticEnv()
	v.SetDefault("file", "store.db")
	if err := v.ReadInConfig(); err != nil {
		return "", err
	}
	return v.GetString(name), nil
}
