# PowerShell completion of mintmark. In your $PROFILE:
#
#     mintmark completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName 'mintmark', 'mintmark.exe' -ScriptBlock {
    param($typed, $line, $cursor)
    $before = @($line.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    $mintmark = Get-Command mintmark -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if (-not $mintmark) { return }
    # Where there are none, PowerShell completes names of files by itself.
    & $mintmark __complete @before "=$typed" 2>$null | Select-Object -Skip 1 | ForEach-Object {
        $text, $means = $_ -split "`t", 2
        if (-not $means) { $means = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $means)
    }
}
