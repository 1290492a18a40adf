import { Dropzone } from '@mantine/dropzone'
import '@mantine/dropzone/styles.css'
import type { DatasetUploaded } from '../../api/upload-dataset'
import { Icon } from '../../ui/Icon'
import { SendingRow } from './SendingRow'
import classes from './Upload.module.css'
import { useUploads } from './uploads'

interface UploadZoneProps {
  onStored: (dataset: DatasetUploaded) => void
}

/** Where files are dropped, and how far each of them is. */
export default function UploadZone({ onStored }: UploadZoneProps) {
  const { sendings, add, dismiss } = useUploads(onStored)
  return (
    <>
      <Dropzone
        onDrop={add}
        className={classes.zone ?? ''}
        tabIndex={-1}
        inputProps={{ 'aria-label': 'Upload datasets' }}
      >
        <div className={classes.invite}>
          <span className={classes.inviteIcon}>
            <Icon name="upload" size={18} />
          </span>
          <div>
            {/* Its click reaches the zone, which opens the file dialog. */}
            <button type="button" className={classes.choose}>
              Drop JSONL files here, or click to choose
            </button>
            <div className={classes.hint}>
              OpenAI batch format, one request per line: custom_id, method, url, body
            </div>
          </div>
        </div>
      </Dropzone>
      {sendings.length > 0 && (
        <ul className={classes.sendings} aria-label="Uploads">
          {sendings.map((sending) => (
            <SendingRow
              key={sending.id}
              sending={sending}
              onDismiss={() => {
                dismiss(sending.id)
              }}
            />
          ))}
        </ul>
      )}
    </>
  )
}
