import js from '@eslint/js'
import hooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

/** What a layer must not import from; imports go ui and api → features → app. */
const outward = (...folders) => ({
  'no-restricted-imports': ['error', { patterns: folders.map((one) => `**/${one}/**`) }],
})

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.gen.d.ts', 'eslint.config.js'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  hooks.configs.flat['recommended-latest'],
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'max-lines': ['error', 200],
      // A link's click handler and a form's submit may start what they do not wait for.
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { attributes: false } },
      ],
      '@typescript-eslint/dot-notation': 'off',
    },
  },
  { files: ['src/api/**'], rules: outward('features', 'app') },
  { files: ['src/ui/**'], rules: outward('features', 'app') },
  { files: ['src/features/**'], rules: outward('app') },
)
